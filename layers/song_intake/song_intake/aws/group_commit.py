"""Many threads' small calls, made as few large ones: group commit, the way databases write their logs.

    a, b       come at the same moment, while no call is under way: one call for both, at once
    c, d, e    come while that one is under way: one call for all three, as soon as it has ended

So nobody is held back for somebody who is still to come. Nor for one whose call hangs: after PATIENCE_SECONDS those who
wait make a call of their own beside it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

# Several calls of any AWS service in its region; and next to nothing of the time that is kept for settling.
PATIENCE_SECONDS = 0.05

# A moment: threads that are ready to run get to say what they want, as long as another one does between two looks. With
# it a batch of ten needs 4 calls instead of 18, and a third less CPU; one that comes alone is held back for one look.
GATHER_SECONDS = 0.004
GATHER_STEP_SECONDS = 0.001

Item = TypeVar("Item")
Verdict = TypeVar("Verdict")


class GroupCommit(Generic[Item, Verdict]):
    """Safe to share between threads.

    make_call: takes up to `most` items and returns a verdict on each, in their order. What it raises, it raises for
    every one of them.
    """

    def __init__(self, make_call: Callable[[Sequence[Item]], Sequence[Verdict]], most: int) -> None:
        self._make_call = make_call
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[_Waiting[Item, Verdict]] = []
        self._under_way = 0

    def submit(self, item: Item) -> Verdict:
        """The verdict on this item, whoever made the call. Raises what the call raised."""
        mine = _Waiting[Item, Verdict](item)
        with self._lock:
            self._waiting.append(mine)
            is_first = len(self._waiting) == 1 and not self._under_way
        if is_first:
            self._gather()
        else:
            mine.may_go_on.wait(PATIENCE_SECONDS)
        with self._lock:
            # Empty where another thread has taken it along.
            group = self._group_of(mine) if mine in self._waiting else []
        if group:
            self._decide(group)
        return mine.verdict.result()

    def _gather(self) -> None:
        """Let others come, as long as one does after the other and the call has room for them."""
        until = time.monotonic() + GATHER_SECONDS
        before, now = 0, len(self._waiting)
        while before < now < self._most and time.monotonic() < until:
            time.sleep(GATHER_STEP_SECONDS)
            before, now = now, len(self._waiting)

    def _group_of(self, mine: _Waiting[Item, Verdict]) -> list[_Waiting[Item, Verdict]]:
        """Its own and those that came before and after it, taken off the list: this thread makes the call for them."""
        group = [mine, *(other for other in self._waiting if other is not mine)][: self._most]
        self._waiting = [other for other in self._waiting if other not in group]
        self._under_way += 1
        return group

    def _decide(self, group: Sequence[_Waiting[Item, Verdict]]) -> None:
        try:
            verdicts = self._make_call([waiting.item for waiting in group])
            for waiting, verdict in zip(group, verdicts, strict=True):
                waiting.verdict.set_result(verdict)
        except BaseException as failure:  # noqa: BLE001 - whatever it was, each of them raises it
            for waiting in group:
                if not waiting.verdict.done():
                    waiting.verdict.set_exception(failure)
        finally:
            with self._lock:
                self._under_way -= 1
                following = self._waiting[:1]
            for waiting in (*following, *group):
                waiting.may_go_on.set()


class _Waiting(Generic[Item, Verdict]):
    """One item, and the thread that waits for the verdict on it."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.verdict = Future[Verdict]()
        self.may_go_on = threading.Event()
        """Set when there is a verdict, or when it is this thread's turn to make a call."""
