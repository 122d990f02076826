"""A stand-in for the hosts of recordings: a real HTTPS server on loopback that can lie about what it sends."""

import contextlib
import io
import ssl
import struct
import threading
import wave
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import trustme

Answer = Callable[["Handler"], None]
"""Writes one answer."""


def wav(seconds: float = 0.1) -> bytes:
    """A recording of silence, at 8 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(bytes(int(seconds * 16_000)))
    return file.getvalue()


def m4a(size: int = 2_000) -> bytes:
    """An MP4 of this many bytes: its type, and free space."""
    kind = b"ftypM4A \0\0\2\0M4A mp42isom\0\0\0\0"
    head = struct.pack(">I", len(kind) + 4) + kind
    return head + struct.pack(">I", size - len(head)) + b"free" + bytes(size - len(head) - 8)


def mp3(size: int = 2_000) -> bytes:
    """An ID3 tag, and nothing that anybody would hear."""
    return b"ID3\4\0\0\0\0\0\0" + bytes(size - 10)


class Handler(BaseHTTPRequestHandler):
    """One request. `host` is the stand-in that received it."""

    protocol_version = "HTTP/1.1"
    host: "RecordingHost"

    def do_GET(self) -> None:
        self.host.received.append((self.path, dict(self.headers)))
        self.close_connection = True
        self.host.answers[self.path.partition("?")[0]](self)

    def log_message(self, *_: object) -> None:
        pass


def sends(body: bytes, status: int = 200, **headers: str) -> Answer:
    """A whole answer. A header `content_length` replaces the true one."""

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        named = {name.replace("_", "-").title(): text for name, text in headers.items()}
        for name, text in ({"Content-Length": str(len(body))} | named).items():
            handler.send_header(name, text)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs_up(_: Handler) -> None:
    """No answer at all."""


def redirects(location: str, status: int = 302) -> Answer:
    return sends(b"", status, location=location)


def in_chunks(*chunks: bytes, ends: bool = True) -> Answer:
    """A chunked body. ends: with its last chunk."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for chunk in chunks:
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if ends:
            handler.wfile.write(b"0\r\n\r\n")

    return answer


def without_length(body: bytes, *, is_cut: bool = False, length: str | None = None) -> Answer:
    """A body that ends with the connection: by TLS's own end, or cut. length: a header that is none."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        if length is not None:
            handler.send_header("Content-Length", length)
        handler.end_headers()
        handler.wfile.write(body)
        connected = handler.connection
        assert isinstance(connected, ssl.SSLSocket)
        if not is_cut:
            # The peer is not waited for: it may close first.
            connected.settimeout(0.2)
            with contextlib.suppress(OSError):
                connected.unwrap()

    return answer


def holds(body: bytes, released: threading.Event) -> Answer:
    """The head and the beginning of a body, then nothing until it is released."""

    def answer(handler: Handler) -> None:
        sends(body, content_length=str(2 * len(body)))(handler)
        released.wait(30)

    return answer


class RecordingHost:
    """Serves inside its context, under every name that its certificate has."""

    def __init__(self, authority: trustme.CA, *names: str, handler: type[Handler] = Handler) -> None:
        self.answers: dict[str, Answer] = {}
        self.received: list[tuple[str, dict[str, str]]] = []
        """The path and the headers of each request."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(tls)
        of_this_host = type("HandlerOfHost", (handler,), {"host": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), of_this_host)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that leave are expected
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
