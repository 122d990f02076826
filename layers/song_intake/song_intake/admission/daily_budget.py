"""The budget of creates: at most so many in a UTC day, for the stack and for each sender.

    with budget.reserve(sender) as create     counted before the claim; a Retryable: a limit is reached
        claim
        create.charge(...)                    the paid call

A create that was reserved and not charged is given back to its day, and so is one that was proved not created. An
unknown outcome stays counted. A crash in between only loses a create of the day: the limits are never exceeded.

A sender whose creates are used up is remembered until the day ends, so that its other requests cost no call. Moments
are by the wall clock; one that was set back ends what is remembered.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from song_intake.admission.budget_item import ReservedCreate, day_of
from song_intake.domain.outcome import Created, Outcome, Retryable, Unknown
from song_intake.domain.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from song_intake.admission.budget_item import BudgetItem
    from song_intake.outgoing.budget_report import BudgetReport

_SECONDS_A_DAY = 86_400
KEPT_SECONDS = 35 * _SECONDS_A_DAY
"""How long the count of a day is kept after its last change: the use of a month can be read. Our choice."""

UNKNOWN_SENDER = "unknown"
"""The name of a sender that SQS did not name."""

MOST_REMEMBERED = 1_000
"""Senders remembered by one process. Our choice: beyond it, a refused request of a sender costs a call again."""

SPREAD_SECONDS = 0.2
"""The waiting requests of a sender return this far apart, so that a large backlog does not get in the way of others at
midnight. Our choice: a process handles many times as many."""

LONGEST_SPREAD_SECONDS = 12 * 3600.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Spent:
    """A sender whose creates are used up from `since` to `until`, in seconds since 1970."""

    since: float
    until: float
    returns: Iterator[int]
    """Numbers the requests that wait."""


class DailyBudget:
    """One for all threads of the process."""

    def __init__(self, item: BudgetItem, report: BudgetReport) -> None:
        self._item = item
        self._report = report
        self._lock = threading.Lock()
        self._spent: dict[str, _Spent] = {}

    def refusal(self, sender: str | None) -> Retryable | None:
        """Why no request of this sender may be tried now, as far as it is remembered. Makes no call."""
        name = sender or UNKNOWN_SENDER
        with self._lock:
            spent, now = self._spent.get(name), time.time()
            if spent is None:
                return None
            if not spent.since <= now < spent.until:
                del self._spent[name]
                return None
            return self._sender_refusal(spent, now)

    def reserve(self, sender: str | None) -> CreateReservation:
        """For a `with` statement, which counts a create. Raises LedgerUnavailable then: it may have been counted."""
        return CreateReservation(self, sender or UNKNOWN_SENDER)

    def count(self, sender: str) -> ReservedCreate | Retryable:
        """Count one create of this day. Raises LedgerUnavailable."""
        now = time.time()
        result = self._item.reserve(day_of(now), sender, now + KEPT_SECONDS)
        if isinstance(result, ReservedCreate):
            self._report.used(sender, result.usage.used, result.usage.by_sender)
            return result
        self._report.used(sender, result.used, result.by_sender)
        limit = self._item.limits.stack
        if limit and result.used >= limit:
            detail = f"the {limit} creates of the stack for this UTC day (CreatesPerDay) are used up"
            return Retryable(Reason.BUDGET_SPENT, detail, retry_after=next_day(now) - now)
        with self._lock:
            if len(self._spent) >= MOST_REMEMBERED:
                self._spent.clear()
            spent = self._spent.setdefault(sender, _Spent(now, next_day(now), itertools.count()))
            return self._sender_refusal(spent, now)

    def give_back(self, reserved: ReservedCreate, sender: str) -> None:
        """Take a create that did not happen out of the count of its day. Never raises."""
        why = self._item.give_back(reserved)
        if why is not None:
            self._report.not_given_back(sender, reserved.day, why)
            return
        with self._lock:
            self._spent.pop(sender, None)

    def _sender_refusal(self, spent: _Spent, now: float) -> Retryable:
        limit = self._item.limits.sender
        detail = f"the {limit} creates of its sender for this UTC day (CreatesPerDayAndSender) are used up"
        spread = min(next(spent.returns) * SPREAD_SECONDS, LONGEST_SPREAD_SECONDS)
        return Retryable(Reason.SENDER_BUDGET_SPENT, detail, retry_after=spent.until - now + spread)


class CreateReservation:
    """One create of the day. Leaving the block gives it back, unless it was charged."""

    def __init__(self, budget: DailyBudget, sender: str) -> None:
        self._budget = budget
        self._sender = sender
        self._reserved: ReservedCreate | None = None
        self._is_charged = False

    def __enter__(self) -> CreateReservation | Retryable:
        result = self._budget.count(self._sender)
        if isinstance(result, Retryable):
            return result
        self._reserved = result
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._reserved is not None and not self._is_charged:
            self._budget.give_back(self._reserved, self._sender)

    def charge(self, create: Callable[[], Outcome]) -> Outcome:
        """Make the paid call. The create stays counted unless its outcome proves that nothing was created."""
        self._is_charged = True
        outcome = create()
        self._is_charged = isinstance(outcome, Created | Unknown)
        return outcome


def next_day(moment: float) -> float:
    """When the next UTC day begins, in seconds since 1970."""
    return (moment // _SECONDS_A_DAY + 1) * _SECONDS_A_DAY
