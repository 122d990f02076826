"""An HTTPS server on loopback whose answers can be late, cut or missing.

It is independent of the music API: `respond` turns a request into a reply, which includes its delivery. Every
connection has a thread, and `close` ends all of them, also the hanging ones.
"""

import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Final, assert_never

from tests.local.vendor.answer import Answer
from tests.local.vendor.behaviour import WHOLE, Cut, Delivery, Drip, Never, Whole

HOST: Final = "127.0.0.1"
# With a linger time of zero, closing a socket sends a TCP reset.
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that arrived completely. Header names are lower case, `at` is `time.monotonic()`.

    `client_port` is the port of the client's end of the connection, which identifies its process.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    client_port: int
    at: float


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and its delivery; `delivered` is called when the whole answer was sent.

    `over` is called in every case, as soon as nothing more will be sent: also after a cut, and for a missing answer.
    """

    answer: Answer
    delivery: Delivery = WHOLE
    delivered: Callable[[], None] = lambda: None
    over: Callable[[], None] = lambda: None


Respond = Callable[[Request], Reply]


class HttpsServer:
    """Listens from `accept_connections` on. It has its port from the start, and refuses connections until then.

    Raises OSError if the port is in use. Port 0 means any free port.
    """

    def __init__(self, port: int, tls: ssl.SSLContext, respond: Respond) -> None:
        self._tls = tls
        self._respond = respond
        self._connections = _Connections()
        self._listener = self._bind(port)
        self.port: Final[int] = self._listener.server_address[1]
        self._accepting: threading.Thread | None = None

    def accept_connections(self) -> None:
        if self._accepting is None:
            self._listener.server_activate()
            # The poll interval limits the duration of `shutdown`; it does not delay connections.
            self._accepting = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
            self._accepting.start()

    def refuse_connections(self) -> None:
        """Refuses new connections and keeps the port: the socket is bound, but not listening. Open connections stay."""
        self._stop_accepting()
        self._listener = self._bind(self.port)

    def pause(self, seconds: float) -> None:
        """Waits for `seconds`, or until the server closes."""
        self._connections.closing.wait(seconds)

    def close(self) -> None:
        """Ends every connection, and waits for their threads."""
        self._stop_accepting()
        self._connections.close(within=5.0)

    def _bind(self, port: int) -> "_Listener":
        return _Listener(port, self._tls, self._respond, self._connections)

    def _stop_accepting(self) -> None:
        if self._accepting is not None:
            self._listener.shutdown()
            self._accepting.join()
            self._accepting = None
        self._listener.server_close()


class _Connections:
    """The open connections, so that `close` can end those that are idle or hang."""

    def __init__(self) -> None:
        self.closing: Final = threading.Event()
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()

    def add(self, connection: socket.socket) -> None:
        with self._changed:
            self._open.add(connection)

    def remove(self, connection: socket.socket) -> None:
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()

    def close(self, within: float) -> None:
        self.closing.set()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    # Below TLS: SSLSocket.shutdown would drop the TLS session while a thread still reads from it.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, within)


class _Listener(socketserver.ThreadingTCPServer):
    # With socketserver's default of 5, a burst of connections would wait for retransmitted SYNs.
    request_queue_size = 1024
    allow_reuse_address = True
    daemon_threads = True
    # `refuse_connections` closes only the listener; _Connections.close waits for the threads.
    block_on_close = False

    def __init__(self, port: int, tls: ssl.SSLContext, respond: Respond, connections: _Connections) -> None:
        super().__init__((HOST, port), _Connection, bind_and_activate=False)
        self.respond: Final = respond
        self.connections: Final = connections
        self._tls = tls
        try:
            self.server_bind()
        except OSError:
            self.server_close()
            raise

    def get_request(self) -> tuple[socket.socket, Any]:
        plain, address = super().get_request()
        # The handshake runs in the thread of the connection, since a silent client would block all others in this one.
        return self._tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.remove(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores clients that disconnect or break TLS, which tests do on purpose; reports every other error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    server: _Listener
    connection: ssl.SSLSocket
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.connection.do_handshake()

    def do_GET(self) -> None:
        self._exchange()

    def do_POST(self) -> None:
        self._exchange()

    def do_PUT(self) -> None:
        self._exchange()

    def log_message(self, *_: object) -> None:
        """No log: the record has every request."""

    def _exchange(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body, self.client_address[1], time.monotonic())
        reply = self.server.respond(request)
        self._deliver(reply)

    def _deliver(self, reply: Reply) -> None:
        if isinstance(reply.delivery, Never):
            reply.over()
            self.rfile.read()
            self.close_connection = True
            return
        try:
            self._send(reply, reply.delivery)
        finally:
            reply.over()

    def _send(self, reply: Reply, delivery: Whole | Drip | Cut) -> None:
        answer = reply.answer
        match delivery:
            case Whole():
                self.wfile.write(answer.head + answer.body)
                reply.delivered()
            case Drip(part, interval):
                self._drip(answer, part, interval)
                reply.delivered()
            case Cut() as cut:
                self._cut(answer, cut)
            case unreachable:
                assert_never(unreachable)

    def _drip(self, answer: Answer, part: str, interval: float) -> None:
        at_once, slowly, rest = (b"", answer.head, answer.body) if part == "head" else (answer.head, answer.body, b"")
        self.wfile.write(at_once)
        for byte in slowly:
            self.wfile.write(bytes([byte]))
            self.server.connections.closing.wait(interval)
        self.wfile.write(rest)

    def _cut(self, answer: Answer, cut: Cut) -> None:
        sent = {
            "start": b"",
            "head": answer.head[: len(answer.head) // 2],
            "body": answer.head + answer.body[: len(answer.body) // 2],
        }
        self.wfile.write(sent[cut.at])
        self.close_connection = True
        if cut.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            # The reader shares the socket, so close both here; otherwise socketserver would send a FIN first.
            self.rfile.close()
            self.connection.close()
