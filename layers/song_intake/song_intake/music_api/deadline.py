"""The limit of everything that waits for the music API: one moment, whatever the number of its steps."""

import time


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
