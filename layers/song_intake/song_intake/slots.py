"""The slots of one invocation, and the threads of its batch that wait for them.

No thread owns a slot. There is one for each thread that has a ticket, and the first thread that is ready takes the
first slot. A thread that needs none after all (a duplicate, no connection) hands its ticket in, and what is left over
is the last slot, for which nobody has waited yet: it goes back to the row, early enough for another worker.

Threads that come at the same moment are reserved for with one write: one of them writes, and who comes meanwhile is in
the next write.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.ledger_table import LedgerUnavailable
from song_intake.outcome import NotSent
from song_intake.reason import Reason

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from song_intake.lambda_clock import LambdaClock
    from song_intake.pace import Pace
    from song_intake.pace_table import PaceTable

LEAD_SECONDS = 1.0
"""How long before its slot a thread begins to connect and to claim: early enough for another thread, or another worker,
to use the slot where this one turns out to be a duplicate."""

SOONEST_SECONDS = 0.5
"""The soonest slot that is reserved: connecting and claiming take some tenths of a second."""

MOST_LATE_SECONDS = 0.25
"""How late after a slot, or half an interval if that is shorter, a create may be sent: later, and it would come too
close to the next one. A slot that nobody was ready for passes unused."""

MOST_HELD_SECONDS = 5.0
"""The longest that an open line waits for a slot. A server may close one that stays silent, and what is sent at that
moment leaves a doubt."""


@dataclass(slots=True, eq=False)
class Ticket:
    """The right to one of the slots, or why there is none."""

    is_ready: bool = False
    refusal: NotSent | None = None


class Slots:
    """Safe to share between threads. latest: the last moment, on `clock`, at which a create may begin."""

    def __init__(
        self, table: PaceTable, interval: float, clock: LambdaClock, latest: float, changed: threading.Condition
    ) -> None:
        self._table = table
        self._interval = interval
        self._grace = min(MOST_LATE_SECONDS, interval / 2)
        self._clock = clock
        self._latest = latest
        self._changed = changed
        self._is_writing = False
        self._tickets: list[Ticket] = []
        """In the order in which they came."""
        self._slots: list[float] = []
        """In the order of time."""

    def ticket(self) -> Ticket:
        """To be handed in again, used or not."""
        ticket = Ticket()
        with self._changed:
            self._tickets.append(ticket)
        return ticket

    def approach(self, ticket: Ticket) -> NotSent | None:
        """Wait until it is time to make ready for a slot; or why there will be none."""
        return self._wait(ticket, lambda: self._slot_of(ticket, self._tickets) - LEAD_SECONDS)

    def take(self, ticket: Ticket) -> NotSent | None:
        """Wait for the next slot and use it up: None, and the create is to be sent now; or why there is none."""
        ticket.is_ready = True
        return self._wait(ticket, lambda: self._slot_of(ticket, self._ready()), at_most=MOST_HELD_SECONDS)

    def hand_in(self, ticket: Ticket) -> None:
        """Unused, it leaves a slot over, which is given back. Used, it is nothing any more, and nothing can fail."""
        with self._changed:
            if ticket not in self._tickets:
                return
            self._tickets.remove(ticket)
            self._changed.notify_all()
        self._balance()

    def slowed(self, retry_after: float | None) -> None:
        """The music API asked for less. What is reserved here is dropped, not given back: nobody is to use it."""
        with self._changed:
            while self._is_writing:
                self._changed.wait()
            self._is_writing = True
            self._slots.clear()
        try:
            with suppress(LedgerUnavailable):
                self._table.change(lambda pace: (pace.slowed(self._clock.now(), retry_after, self._interval), None))
        finally:
            self._written(())

    def _wait(self, ticket: Ticket, moment: Callable[[], float], at_most: float = math.inf) -> NotSent | None:
        """Until that moment, which moves when others use slots or leave them over."""
        while True:
            self._balance()
            with self._changed:
                if ticket.refusal is not None:
                    return ticket.refusal
                seconds = moment() - self._clock.now()
                if seconds <= 0:
                    self._use_if_ready(ticket)
                    return None
                if at_most < seconds < math.inf:
                    return _paced(seconds)
                if self._is_writing or self._lack() == 0:
                    self._changed.wait(None if math.isinf(seconds) else seconds)

    def _slot_of(self, ticket: Ticket, row: list[Ticket]) -> float:
        """The slot that comes to this ticket, if those before it in the row use theirs."""
        place = row.index(ticket)
        return self._slots[place] if place < len(self._slots) else math.inf

    def _ready(self) -> list[Ticket]:
        return [ticket for ticket in self._tickets if ticket.is_ready]

    def _use_if_ready(self, ticket: Ticket) -> None:
        if ticket.is_ready:
            del self._slots[0]
            self._tickets.remove(ticket)
            self._changed.notify_all()

    def _lack(self) -> int:
        return len(self._tickets) - len(self._slots)

    def _balance(self) -> None:
        """As many slots as tickets: reserve what lacks, or give back what is over, unless somebody writes already."""
        with self._changed:
            self._drop_what_passed()
            lack = self._lack()
            if self._is_writing or lack == 0:
                return
            self._is_writing = True
            over = tuple(self._slots[len(self._tickets) :])
            del self._slots[len(self._tickets) :]
        reserved: tuple[float, ...] = ()
        refusal: NotSent | None = None
        try:
            if over:
                self._give_back(over)
            else:
                reserved, refusal = self._reserve(lack)
        finally:
            self._written(reserved, lack - len(reserved), refusal)

    def _drop_what_passed(self) -> None:
        least = self._clock.now() - self._grace
        self._slots = [slot for slot in self._slots if slot >= least]

    def _reserve(self, count: int) -> tuple[tuple[float, ...], NotSent]:
        """The slots, and why there are not more."""

        def reserve(pace: Pace) -> tuple[Pace, tuple[tuple[float, ...], float]]:
            now = self._clock.now()
            after, slots = pace.reserve(now + SOONEST_SECONDS, count, self._latest, self._interval)
            return after, (slots, after.next_at - now)

        try:
            slots, wait = self._table.change(reserve)
        except LedgerUnavailable as failure:
            return (), NotSent(Reason.LEDGER_UNAVAILABLE, f"no slot could be reserved ({failure})")
        return slots, _paced(wait)

    def _give_back(self, slots: tuple[float, ...]) -> None:
        """Where that fails they pass unused."""
        with suppress(LedgerUnavailable):
            self._table.change(lambda pace: (pace.give_back(slots, self._clock.now()), None))

    def _written(self, reserved: tuple[float, ...], short: int = 0, refusal: NotSent | None = None) -> None:
        with self._changed:
            self._is_writing = False
            self._slots = sorted((*self._slots, *reserved))
            # Who came last is turned away.
            while refusal is not None and short > 0 and self._tickets:
                self._tickets.pop().refusal = refusal
                short -= 1
            self._changed.notify_all()


def _paced(seconds: float) -> NotSent:
    return NotSent(Reason.PACED, "the next slot of the pace lies too late for this invocation", retry_after=seconds)
