"""Jobs that are to be done at a certain time."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Final

Job = Callable[[], None]


class Timetable:
    """Starts each job at its time, in a thread of its own, so that none waits for another.

    An exception of a job goes the way of every thread's, which is loud in tests.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._running: set[threading.Thread] = set()
        self._clock: threading.Thread | None = None
        self._is_closed = False

    def add(self, due: float, job: Job) -> None:
        """`due` is `time.monotonic()`; what is past is due at once. After `close` nothing is done any more."""
        with self._changed:
            if self._is_closed:
                return
            heapq.heappush(self._waiting, (due, next(self._order), job))
            if self._clock is None:
                self._clock = threading.Thread(target=self._keep_time, daemon=True)
                self._clock.start()
            self._changed.notify_all()

    def clear(self) -> None:
        """Forgets the jobs that are not yet started."""
        with self._changed:
            self._waiting.clear()

    def close(self, within: float) -> None:
        """Starts nothing any more, and waits for what runs, for `within` seconds at most."""
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
                self._start_what_is_due()
                self._changed.wait(self._waiting[0][0] - time.monotonic() if self._waiting else None)

    def _start_what_is_due(self) -> None:
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
