"""A TLS server that says exactly the bytes it is given: what no HTTP server would ever send."""

import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"


class RawTlsServer:
    """Reads each request whole, sends what it was told to, and closes. `received` is all that came through TLS."""

    def __init__(self, tls: ssl.SSLContext, answer: Iterable[bytes]) -> None:
        self._tls = tls
        self._answer = answer
        self._listener = socket.create_server((HOST, 0))
        self.origin = f"https://{HOST}:{self._listener.getsockname()[1]}"
        self.received: list[bytes] = []
        self.connections = 0

    def serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            plain.settimeout(5)
            # A client that turns away, in the handshake or later, is what some tests are about.
            with suppress(OSError), plain, self._tls.wrap_socket(plain, server_side=True) as connection:
                self._exchange(connection)

    def close(self) -> None:
        # Closing alone does not wake a thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _exchange(self, connection: ssl.SSLSocket) -> None:
        request = b""
        while not _is_whole(request):
            part = connection.recv(65_536)
            if not part:
                return
            request += part
            self.received.append(part)
        for part in self._answer:
            connection.sendall(part)


@contextmanager
def serving(tls: ssl.SSLContext, answer: Iterable[bytes] = ()) -> Iterator[RawTlsServer]:
    server = RawTlsServer(tls, answer)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and len(body) >= int(lengths[0] if lengths else 0)
