"""A server on real sockets that does to each connection what one fault of the catalogue says."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto

HOST = "127.0.0.1"

Handler = Callable[[socket.socket, "HostileServer"], None]
"""What happens to one connection, from its first byte on. An OSError ends it quietly: a client may give up."""


class HostileServer:
    """Serves one connection after the other. `received` is every byte that arrived, decrypted where TLS was spoken."""

    def __init__(self, handle: Handler, host: str = HOST, port: int = 0) -> None:
        self._handle = handle
        self._listener = socket.create_server((host, port))
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"https://{host}:{self.port}"
        self.received = bytearray()
        self.connections = 0
        self._closing = threading.Event()

    def serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.settimeout(5)
            with suppress(OSError), plain:
                self._handle(plain, self)

    def close(self) -> None:
        self._closing.set()
        # Closing alone does not wake a thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def read_some(self, connection: socket.socket) -> bytes:
        part = connection.recv(65_536)
        self.received += part
        return part

    def read_request(self, connection: socket.socket) -> None:
        request = b""
        while not _is_whole(request):
            part = self.read_some(connection)
            if not part:
                return
            request += part

    def wait_for_the_client_to_leave(self, connection: socket.socket) -> None:
        while self.read_some(connection):
            pass

    def drip(self, connection: socket.socket, data: bytes) -> None:
        """One byte every 50 ms, for 2 s at most: a client without a deadline must not hold up the tests."""
        for byte in data[:40]:
            connection.sendall(bytes([byte]))
            if self._closing.wait(0.05):
                return


class End(Enum):
    """How the server ends a connection."""

    NOTIFY = auto()
    """TLS's own end, then TCP's."""
    FIN = auto()
    """TCP's end alone."""
    RESET = auto()
    GARBAGE = auto()
    """Bytes that are no TLS."""
    STAY = auto()
    """The connection stays open for as long as the client stays."""


def end(connection: ssl.SSLSocket, how: End, server: HostileServer) -> None:
    match how:
        case End.NOTIFY:
            connection.unwrap()
        case End.FIN:
            connection.shutdown(socket.SHUT_WR)
            server.wait_for_the_client_to_leave(connection)
        case End.RESET:
            reset(connection)
        case End.GARBAGE:
            with socket.socket(fileno=connection.detach()) as plain:
                plain.sendall(b"garbage " * 8)
                plain.settimeout(5)
                server.wait_for_the_client_to_leave(plain)
        case End.STAY:
            server.wait_for_the_client_to_leave(connection)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextmanager
def serving(handle: Handler, host: str = HOST, port: int = 0) -> Iterator[HostileServer]:
    server = HostileServer(handle, host, port)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def _is_whole(request: bytes) -> bool:
    head, found, body = request.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(found) and len(body) >= int(lengths[0] if lengths else 0)
