"""Threads that run in turns, on a clock that advances only when all of them wait: an hour of waiting needs no time.

One thread runs at a time, and yields only where it waits. So no locks are needed, and the same choices always give the
same run. A thread that waits wakes the next one itself, which halves the switches between threads.
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

PATIENCE = 30.0  # real seconds without a step, after which a test that hangs fails


class Crash(BaseException):
    """A crash of a process. It is no Exception, because the package catches every Exception on purpose."""


class Process:
    """The shared state of its threads: a wall clock that may be wrong, and whether the process has crashed."""

    def __init__(self, skew: float = 0.0) -> None:
        self.skew = skew
        self.has_crashed = False
        self.frozen_for = 0.0
        """Seconds for which Lambda has frozen the process so far: its monotonic clock stood still meanwhile."""


class _Thread:
    """A thread of the machine, which does one piece of work after another."""

    def __init__(self, process: Process, work: Callable[[], None]) -> None:
        self.process = process
        self.work: Callable[[], None] | None = work
        """None: the thread ends."""
        self.go = threading.Lock()
        self.go.acquire()
        self.wakes = 0
        """The number of the wake-up that it waits for. Wake-ups with an earlier number are ignored."""


class VirtualTime:
    def __init__(self, now: float) -> None:
        self.now = now
        self._order = itertools.count()
        self._due: list[tuple[float, int, int, _Thread]] = []
        self._idle: list[_Thread] = []
        self._current: _Thread | None = None
        self._steps = 0
        self._stopped = threading.Semaphore(0)
        self._failures: list[BaseException] = []

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Patch the clocks: both are those of the running process, the wall clock with its skew."""
        with (
            mock.patch("time.time", self._wall),
            mock.patch("time.monotonic", self._monotonic),
            # No thread waits in real time for the call of another one: in virtual time that wait would never end.
            mock.patch.multiple(group_commit, GATHER_SECONDS=0, PATIENCE_SECONDS=0),
            one_core(),
        ):
            yield

    def start(self, process: Process, work: Callable[[], None]) -> None:
        if self._idle:
            thread = self._idle.pop()
            thread.process, thread.work = process, work
        else:
            thread = _Thread(process, work)
            threading.Thread(target=self._run, args=(thread,), daemon=True).start()
        self._wake(thread, self.now)

    def sleep(self, seconds: float) -> None:
        self._wake(self._me, self.now + seconds)
        self._yield()

    def run(self) -> None:
        """Run until no thread waits for a time. Raises the first exception of a thread."""
        following = self._next()
        if following is not None:
            following.go.release()
            steps = -1
            while not self._stopped.acquire(timeout=PATIENCE):
                assert steps != self._steps, "a thread waits in real time"
                steps = self._steps
        while self._idle:
            thread = self._idle.pop()
            thread.work = None
            thread.go.release()
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

    def _monotonic(self) -> float:
        return self.now - (self._current.process.frozen_for if self._current else 0.0)

    def _wake(self, thread: _Thread, at: float) -> None:
        heapq.heappush(self._due, (at, next(self._order), thread.wakes, thread))

    def _next(self) -> _Thread | None:
        """The thread whose turn it is, at its time. None: nothing waits for a time, or a thread has failed."""
        while self._due and not self._failures:
            due, _, wakes, thread = heapq.heappop(self._due)
            if wakes == thread.wakes:
                self.now = max(self.now, due)
                self._current = thread
                self._steps += 1
                thread.wakes += 1
                return thread
        return None

    def _pass_on(self, following: _Thread | None) -> None:
        if following is None:
            self._stopped.release()
        else:
            following.go.release()

    def _yield(self) -> None:
        me = self._me
        following = self._next()
        if following is not me:
            self._pass_on(following)
            me.go.acquire()
        if me.process.has_crashed:
            raise Crash

    def _run(self, me: _Thread) -> None:
        while me.go.acquire() and me.work is not None:
            try:
                if not me.process.has_crashed:
                    me.work()
            except Crash:
                pass
            except BaseException as failure:  # noqa: BLE001 - raised again by run()
                self._failures.append(failure)
            self._idle.append(me)
            self._pass_on(self._next())


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
