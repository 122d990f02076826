"""Jobs that start at a certain time."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Final

Job = Callable[[], None]


class Timetable:
    """Starts each job at its time, in a thread of its own, so that no job waits for another.

    An exception of a job is unhandled in its thread, which fails a test.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._running: set[threading.Thread] = set()
        self._clock: threading.Thread | None = None
        self._is_closed = False

    def add(self, due: float, job: Job) -> None:
        """`due` is on the clock of `time.monotonic()`; a past time means at once. After `close` no job starts."""
        with self._changed:
            if self._is_closed:
                return
            heapq.heappush(self._waiting, (due, next(self._order), job))
            if self._clock is None:
                self._clock = threading.Thread(target=self._keep_time, daemon=True)
                self._clock.start()
            self._changed.notify_all()

    def clear(self) -> None:
        """Removes the jobs that have not started."""
        with self._changed:
            self._waiting.clear()

    def close(self, within: float) -> None:
        """Starts no further job, and waits for the running ones, for at most `within` seconds."""
        deadline: Final = time.monotonic() + within
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()
            threads = [*self._running, *([self._clock] if self._clock else [])]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _keep_time(self) -> None:
        with self._changed:
            while not self._is_closed:
                self._start_due_jobs()
                self._changed.wait(self._waiting[0][0] - time.monotonic() if self._waiting else None)

    def _start_due_jobs(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, job = heapq.heappop(self._waiting)
            thread = threading.Thread(target=self._run, args=(job,), daemon=True)
            self._running.add(thread)
            thread.start()

    def _run(self, job: Job) -> None:
        try:
            job()
        finally:
            with self._changed:
                self._running.discard(threading.current_thread())
