"""Limits for one exchange on a socket: its total time, and the bytes that it may read.

A socket's time-out starts anew with every read, so a peer that sends a byte now and then holds `timeout=1` for as long
as it likes. Here the time-out of each read and write is what is left until one moment.
"""

import io
import socket
import ssl
import time
from enum import Enum, auto
from typing import Any, BinaryIO


class Deadline:
    """A moment on the monotonic clock, so that a change of the wall clock does not move it."""

    def __init__(self, seconds: float) -> None:
        self._moment = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left; raises TimeoutError once there are none, since a socket takes 0 for "do not block"."""
        left = self._moment - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline is over")
        return left


class StreamEnd(Enum):
    """How a peer ended its stream."""

    CLOSED = auto()
    """As TLS requires: nothing is missing."""
    CUT = auto()
    """The connection ended without TLS's own end, so bytes may be missing."""


class DeadlineSocket:
    """A connected socket whose reads and writes all end by one deadline. What it does not name goes to the socket.

    Reading more than `most_bytes` raises ValueError. `end` is None until a read finds the end of the stream.
    """

    def __init__(self, connected: socket.socket, deadline: Deadline, most_bytes: int) -> None:
        self._socket = connected
        self._deadline = deadline
        self._bytes_left = most_bytes
        self.end: StreamEnd | None = None

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(self._deadline.left())
            rest = rest[self._socket.send(rest) :]

    def makefile(self, *_: object, **__: object) -> BinaryIO:
        """What http.client reads an answer from."""
        return io.BufferedReader(_Reader(self, self._socket.makefile("rb", buffering=0)))

    def read_from(self, file: io.RawIOBase, buffer: Any) -> int | None:
        """One read of the socket's file into the buffer: how many bytes were read, 0 at the end of the stream."""
        if self.end:
            return 0
        self._socket.settimeout(self._deadline.left())
        try:
            count = file.readinto(buffer)
        except ssl.SSLEOFError:
            self.end = StreamEnd.CUT
            return 0
        if count == 0:
            self.end = StreamEnd.CLOSED
        self._bytes_left -= count or 0
        if self._bytes_left < 0:
            raise ValueError("more bytes than any answer of the API has")
        return count

    def settimeout(self, _seconds: float | None) -> None:
        """Ignored: the deadline alone rules, and urllib3 sets its own time-out before each step."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class _Reader(io.RawIOBase):
    def __init__(self, connected: DeadlineSocket, file: io.RawIOBase) -> None:
        # The socket's own file keeps it open until the answer is read, though http.client closes the connection before.
        self._file = file
        self._socket = connected

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        return self._socket.read_from(self._file, buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
