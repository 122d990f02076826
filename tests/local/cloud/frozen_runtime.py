"""AWS's Runtime Interface Client with a monotonic clock that stops while the function waits for its next invocation.

Lambda freezes a process between invocations, and its monotonic clock is frozen too, while the wall clock goes on. The
local cloud freezes the process (ministack_freezing.py), but no signal stops a clock of the operating system, so this
module replaces `time.monotonic` and `time.perf_counter`.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html (when Lambda freezes)
https://github.com/hashicorp/vault-lambda-extension/pull/150 (what that does to the monotonic clock)

A wait that is under way in C (`time.sleep`, a lock, a socket) still uses the clock of the operating system. After a
freeze it may end at once.

`function_package` packs this file into every function, and the function's bootstrap runs it. The names of the
stand-in's hosts lead to loopback where the local cloud's environment says so (network.py).
"""

import _thread
import os
import sys
import time
from collections.abc import Callable


class StoppableClock:
    """Safe to share between threads. real_ns: the nanoseconds of a clock that never stops."""

    def __init__(self, real_ns: Callable[[], int]) -> None:
        self._real_ns = real_ns
        self._stopped_at: int | None = None
        self._stopped_for = 0
        # `threading` keeps the `time.monotonic` that it finds when it is imported, so it is imported later.
        self._lock = _thread.allocate_lock()

    def nanoseconds(self) -> int:
        with self._lock:
            return (self._real_ns() if self._stopped_at is None else self._stopped_at) - self._stopped_for

    def seconds(self) -> float:
        return self.nanoseconds() / 1e9

    def stop(self) -> None:
        with self._lock:
            self._stopped_at = self._real_ns()

    def start(self) -> None:
        with self._lock:
            if self._stopped_at is not None:
                self._stopped_for += self._real_ns() - self._stopped_at
                self._stopped_at = None


def main(arguments: list[str]) -> None:
    """Run the handler that `arguments` name, as `python -m awslambdaric` does."""
    clock = StoppableClock(time.monotonic_ns)
    time.monotonic = time.perf_counter = clock.seconds
    time.monotonic_ns = time.perf_counter_ns = clock.nanoseconds

    # Imported here, so that every module that they import finds the clock.
    import network  # type: ignore[import-not-found]  # noqa: PLC0415
    import runtime_client  # type: ignore[import-not-found]  # noqa: PLC0415
    from awslambdaric.__main__ import main as run  # noqa: PLC0415

    network.patch_from(os.environ)
    wait_for_event = runtime_client.next

    def wait_with_a_stopped_clock() -> object:
        clock.stop()
        try:
            return wait_for_event()
        finally:
            clock.start()

    runtime_client.next = wait_with_a_stopped_clock
    run(arguments)


if __name__ == "__main__":
    main(sys.argv)
