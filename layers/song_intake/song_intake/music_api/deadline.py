"""A total deadline for one exchange on a socket.

A socket's time-out starts anew with every read, so a peer that sends a byte now and then holds `timeout=1` for as long
as it likes. Here the time-out of each read and write is what is left until one moment.
"""

import io
import socket
import time
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


class DeadlineSocket:
    """A connected socket whose reads and writes all end by one deadline. What it does not name goes to the socket."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(self._deadline.left())
            rest = rest[self._socket.send(rest) :]

    def makefile(self, *_: object, **__: object) -> BinaryIO:
        """What http.client reads an answer from."""
        return io.BufferedReader(_DeadlineReader(self._socket, self._deadline))

    def settimeout(self, _seconds: float | None) -> None:
        """Ignored: the deadline alone rules, and urllib3 sets its own time-out before each step."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class _DeadlineReader(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        # The socket's own file keeps it open until the answer is read, though http.client closes the connection before.
        self._file = connected.makefile("rb", buffering=0)
        self._socket = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(self._deadline.left())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
