"""Threads that take turns, and a clock that moves only when all of them wait: an hour of waiting takes no time.

One thread runs at a time and gives way only where it waits, so locks are not needed and a run with the same choices is
the same run.
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

PATIENCE = 30.0  # real seconds, for a test that hangs to say so


class Dead(BaseException):
    """The end of a process. The package catches Exception widely, on purpose; a death is none."""


class Process:
    """What its threads have in common: a wall clock that may be wrong, and a life."""

    def __init__(self, skew: float = 0.0) -> None:
        self.skew = skew
        self.is_dead = False


class _Thread:
    def __init__(self, process: Process) -> None:
        self.process = process
        self.go = threading.Semaphore(0)
        self.wakes = 0
        """Which of its wake-ups it waits for: an earlier one, that came too late, is passed over."""


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
        """The wall clock is that of whichever process asks; the monotonic one is true."""
        with (
            mock.patch("time.time", self._wall),
            mock.patch("time.monotonic", self._true),
            # No thread waits in real time for another's call, which virtual time would never end.
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
        self._give_way()

    def run(self) -> None:
        """Until no thread waits for a moment any more. Raises what a thread raised."""
        while self._due:
            due, _, wakes, thread = heapq.heappop(self._due)
            if wakes != thread.wakes:
                continue
            self.now = max(self.now, due)
            self._current = thread
            thread.wakes += 1
            thread.go.release()
            assert self._stopped.acquire(timeout=PATIENCE), "a thread waits for something real"
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

    def _give_way(self) -> None:
        me = self._me
        self._stopped.release()
        me.go.acquire()
        if me.process.is_dead:
            raise Dead

    def _run(self, me: _Thread, work: Callable[[], None]) -> None:
        me.go.acquire()
        try:
            if not me.process.is_dead:
                work()
        except Dead:
            pass
        except BaseException as failure:  # noqa: BLE001 - told to whoever runs the world
            self._failures.append(failure)
        finally:
            self._stopped.release()


class _Condition:
    """threading.Condition, as far as it is used. Nobody is in its way: threads give way only where they wait."""

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
        self._time._give_way()

    def notify_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        for thread, wakes in waiting:
            if thread.wakes == wakes:
                self._time._wake(thread, self._time.now)
