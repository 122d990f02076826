"""A TLS server that says exactly the bytes it is given: what no HTTP server would ever send."""

import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tests.wire import hostile_server
from tests.wire.hostile_server import HOST, HostileServer

__all__ = ["HOST", "serving"]


@contextmanager
def serving(tls: ssl.SSLContext, answer: Iterable[bytes] = (), handshake_after: float = 0) -> Iterator[HostileServer]:
    """Reads each request whole, sends what it was told to, and closes.

    handshake_after: the seconds from a connection to its TLS handshake.
    """

    def answer_with(plain: socket.socket, server: HostileServer) -> None:
        time.sleep(handshake_after)
        with tls.wrap_socket(plain, server_side=True) as connection:
            server.read_request(connection)
            for part in answer:
                connection.sendall(part)

    with hostile_server.serving(answer_with) as server:
        yield server
