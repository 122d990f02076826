"""TLS over a connected socket, in steps that all end by a deadline, and the limits of one exchange on it.

Two things make a socket's time-out useless as a limit. It begins anew with every read, so a peer that sends a byte now
and then holds `timeout=1` for as long as it likes. And within one call OpenSSL reads on while records without data
arrive, so a peer that sends them fast enough holds that call for as long as it likes. Here each read and write has the
time that is left until one moment, and OpenSSL reads from memory, which gets the bytes of one read at a time.
"""

import contextlib
import io
import socket
import ssl
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, BinaryIO, TypeVar

from song_intake.music_api.deadline import Deadline

_READ_BYTES = 65_536

_Result = TypeVar("_Result")


class TlsStream:
    """The client's end. Each step raises TimeoutError at its deadline, or whatever the socket or TLS failed with."""

    def __init__(self, connected: socket.socket, tls: ssl.SSLContext, server_hostname: str) -> None:
        self._socket = connected
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)

    def handshake(self, deadline: Deadline) -> None:
        self._step(self._tls.do_handshake, deadline)

    def send(self, data: bytes, deadline: Deadline) -> None:
        self._step(lambda: self._tls.write(data), deadline)

    def read(self, most_bytes: int, deadline: Deadline) -> bytes:
        """The next bytes; none at TLS's own end. Raises ssl.SSLEOFError if the connection ended without it."""
        return self._step(lambda: self._tls.read(min(most_bytes, _READ_BYTES)), deadline)

    def hold(self) -> io.RawIOBase:
        """Until this is closed, `close` leaves the connection open."""
        return self._socket.makefile("rb", buffering=0)

    def close(self) -> None:
        self._socket.close()

    def _step(self, step: Callable[[], _Result], deadline: Deadline) -> _Result:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush(deadline)
                self._fill(deadline)
            except ssl.SSLError:
                # An alert that names the reason to the peer. It is a courtesy: the failure is the same without it.
                with contextlib.suppress(OSError):
                    self._flush(deadline)
                raise
            else:
                self._flush(deadline)
                return result

    def _flush(self, deadline: Deadline) -> None:
        if self._outgoing.pending:
            rest = memoryview(self._outgoing.read())
            while rest:
                self._socket.settimeout(deadline.left())
                rest = rest[self._socket.send(rest) :]

    def _fill(self, deadline: Deadline) -> None:
        self._socket.settimeout(deadline.left())
        if received := self._socket.recv(_READ_BYTES):
            self._incoming.write(received)
        else:
            self._incoming.write_eof()


class StreamEnd(Enum):
    """How a peer ended its stream."""

    CLOSED = auto()
    """As TLS requires: nothing is missing."""
    CUT = auto()
    """The connection ended without TLS's own end, so bytes may be missing."""


class DeadlineSocket:
    """A stream as http.client uses a socket. Its reads and writes all end by one deadline.

    Reading more than `most_bytes` raises ValueError. `end` is None until a read finds the end of the stream.
    """

    def __init__(self, stream: TlsStream, deadline: Deadline, most_bytes: int) -> None:
        self._stream = stream
        self._deadline = deadline
        self._bytes_left = most_bytes
        self.end: StreamEnd | None = None

    def sendall(self, data: bytes) -> None:
        self._stream.send(data, self._deadline)

    def makefile(self, *_: object, **__: object) -> BinaryIO:
        """What http.client reads an answer from."""
        return io.BufferedReader(_Reader(self, self._stream.hold()))

    def read(self, most_bytes: int) -> bytes:
        """The next bytes, none at the end of the stream."""
        if self.end:
            return b""
        try:
            received = self._stream.read(most_bytes, self._deadline)
        except ssl.SSLEOFError:
            self.end = StreamEnd.CUT
            return b""
        if not received:
            self.end = StreamEnd.CLOSED
        self._bytes_left -= len(received)
        if self._bytes_left < 0:
            raise ValueError("more bytes than any answer of the API has")
        return received

    def settimeout(self, _seconds: float | None) -> None:
        """Ignored: the deadline alone rules, and urllib3 sets its own time-out before each step."""

    def close(self) -> None:
        self._stream.close()


class _Reader(io.RawIOBase):
    def __init__(self, connected: DeadlineSocket, hold: io.RawIOBase) -> None:
        # Keeps the connection open until the answer is read, though http.client closes its socket before.
        self._hold = hold
        self._socket = connected

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        received = self._socket.read(len(buffer))
        buffer[: len(received)] = received
        return len(received)

    def close(self) -> None:
        self._hold.close()
        super().close()
