"""Combines the small calls of many threads into a few large ones: group commit, as databases do for their logs.

    a, b       arrive at the same moment, while no call is in flight: one call for both, at once
    c, d, e    arrive while that call is in flight: one call for all three, as soon as the first call has ended

So no thread waits for another one that has not arrived yet. If a call hangs, the waiting threads make their own call
after PATIENCE_SECONDS.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

# Our choice: several times the duration of an AWS call in its region, and little of the time reserved for recording.
PATIENCE_SECONDS = 0.05

# The first thread waits up to 4 ms for more callers, checks every 1 ms, and stops when no caller arrived in between. So
# a batch of ten needs 4 calls instead of 18, and a third less CPU. A single caller waits 1 ms.
GATHER_SECONDS = 0.004
GATHER_STEP_SECONDS = 0.001

_Item = TypeVar("_Item")
_Verdict = TypeVar("_Verdict")


class GroupCommit(Generic[_Item, _Verdict]):
    """Safe to share between threads.

    make_call: accepts up to `most` items and returns a verdict on each, in their order. An exception that it raises is
    raised for each of these items.
    """

    def __init__(self, make_call: Callable[[Sequence[_Item]], Sequence[_Verdict]], most: int) -> None:
        self._make_call = make_call
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[_Waiting[_Item, _Verdict]] = []
        self._in_flight = 0

    def submit(self, item: _Item) -> _Verdict:
        """The verdict on this item, whichever thread made the call. Raises what the call raised."""
        mine = _Waiting[_Item, _Verdict](item)
        with self._lock:
            self._waiting.append(mine)
            is_first = len(self._waiting) == 1 and not self._in_flight
        if is_first:
            self._gather()
        else:
            mine.wake_up.wait(PATIENCE_SECONDS)
        with self._lock:
            # Empty if another thread has included this item in its call.
            group = self._group_of(mine) if mine in self._waiting else []
        if group:
            self._decide(group)
        return mine.verdict.result()

    def _gather(self) -> None:
        """Wait for more callers, as long as they keep arriving and the call has room for them."""
        until = time.monotonic() + GATHER_SECONDS
        before, now = 0, len(self._waiting)
        while before < now < self._most and time.monotonic() < until:
            time.sleep(GATHER_STEP_SECONDS)
            before, now = now, len(self._waiting)

    def _group_of(self, mine: _Waiting[_Item, _Verdict]) -> list[_Waiting[_Item, _Verdict]]:
        """This item and other waiting ones, removed from the list: this thread makes the call for all of them."""
        group = [mine, *(other for other in self._waiting if other is not mine)][: self._most]
        self._waiting = [other for other in self._waiting if other not in group]
        self._in_flight += 1
        return group

    def _decide(self, group: Sequence[_Waiting[_Item, _Verdict]]) -> None:
        try:
            verdicts = self._make_call([waiting.item for waiting in group])
            for waiting, verdict in zip(group, verdicts, strict=True):
                waiting.verdict.set_result(verdict)
        except BaseException as failure:  # noqa: BLE001 - each waiting thread raises it
            for waiting in group:
                if not waiting.verdict.done():
                    waiting.verdict.set_exception(failure)
        finally:
            with self._lock:
                self._in_flight -= 1
                following = self._waiting[:1]
            for waiting in (*following, *group):
                waiting.wake_up.set()


class _Waiting(Generic[_Item, _Verdict]):
    """An item whose thread waits for the verdict on it."""

    def __init__(self, item: _Item) -> None:
        self.item = item
        self.verdict = Future[_Verdict]()
        self.wake_up = threading.Event()
        """Set when the verdict is there, or when this thread should make the next call."""
