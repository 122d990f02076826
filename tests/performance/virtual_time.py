"""Threads that run in turns, on a clock that advances only when all of them wait: an hour of waiting needs no time.

One thread runs at a time, and yields only where it waits. So no locks are needed, and the same choices always give the
same run.
"""

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, cast
from unittest import mock

from song_intake.aws import group_commit
from tests.properties.simulation.one_core import one_core

PATIENCE = 30.0  # real seconds, after which a test that hangs fails


class Crash(BaseException):
    """A crash of a process. It is no Exception, because the package catches every Exception on purpose."""


class Process:
    """The shared state of its threads: a wall clock that may be wrong, and whether the process has crashed."""

    def __init__(self, skew: float = 0.0) -> None:
        self.skew = skew
        self.has_crashed = False


class _Thread:
    def __init__(self, process: Process) -> None:
        self.process = process
        self.go = threading.Semaphore(0)
        self.wakes = 0
        """The number of the wake-up that it waits for. Wake-ups with an earlier number are ignored."""


class VirtualTime:
    def __init__(self, now: float) -> None:
        self.now = now
        self._order = itertools.count()
        self._due: list[tuple[float, int, int, _Thread]] = []
        self._current: _Thread | None = None
        self._stopped = threading.Semaphore(0)
        self._failures: list[BaseException] = []

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Patch the clocks: wall time is that of the running process, skew included; monotonic time is exact."""
        with (
            mock.patch("time.time", self._wall),
            mock.patch("time.monotonic", self._true),
            # No thread waits in real time for the call of another one: in virtual time that wait would never end.
            mock.patch.multiple(group_commit, GATHER_SECONDS=0, PATIENCE_SECONDS=0),
            one_core(),
        ):
            yield

    def start(self, process: Process, work: Callable[[], None]) -> None:
        thread = _Thread(process)
        threading.Thread(target=self._run, args=(thread, work), daemon=True).start()
        self._wake(thread, self.now)

    def sleep(self, seconds: float) -> None:
        self._wake(self._me, self.now + seconds)
        self._yield()

    def run(self) -> None:
        """Run until no thread waits for a time. Raises the first exception of a thread."""
        while self._due:
            due, _, wakes, thread = heapq.heappop(self._due)
            if wakes != thread.wakes:
                continue
            self.now = max(self.now, due)
            self._current = thread
            thread.wakes += 1
            thread.go.release()
            assert self._stopped.acquire(timeout=PATIENCE), "a thread waits in real time"
            if self._failures:
                raise self._failures[0]

    def condition(self) -> threading.Condition:
        return cast("threading.Condition", _Condition(self))

    @property
    def _me(self) -> _Thread:
        assert self._current is not None
        return self._current

    def _wall(self) -> float:
        return self.now + (self._current.process.skew if self._current else 0.0)

    def _true(self) -> float:
        return self.now

    def _wake(self, thread: _Thread, at: float) -> None:
        heapq.heappush(self._due, (at, next(self._order), thread.wakes, thread))

    def _yield(self) -> None:
        me = self._me
        self._stopped.release()
        me.go.acquire()
        if me.process.has_crashed:
            raise Crash

    def _run(self, me: _Thread, work: Callable[[], None]) -> None:
        me.go.acquire()
        try:
            if not me.process.has_crashed:
                work()
        except Crash:
            pass
        except BaseException as failure:  # noqa: BLE001 - raised again by run()
            self._failures.append(failure)
        finally:
            self._stopped.release()


class _Condition:
    """The used part of threading.Condition. It needs no lock, because threads yield only where they wait."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self._waiting: list[tuple[_Thread, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def wait(self, timeout: float | None = None) -> None:
        me = self._time._me
        if timeout is not None:
            self._time._wake(me, self._time.now + timeout)
        self._waiting.append((me, me.wakes))
        self._time._yield()

    def notify_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        for thread, wakes in waiting:
            if thread.wakes == wakes:
                self._time._wake(thread, self._time.now)
