"""The slots of one invocation, and the threads of its batch that wait for them.

No thread owns a slot. There is one slot for each reservation, and the first thread that is ready uses the first slot. A
thread that needs no slot after all (a duplicate, no connection) releases its reservation. The extra slot is then the
last one, for which no thread has waited yet: it is given back early enough for another worker.

Threads that arrive at the same moment share one write: one thread writes, and threads that arrive during the write are
part of the next one.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from song_intake.domain.outcome import Retryable
from song_intake.domain.reason import Reason
from song_intake.ledger.table import LedgerUnavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from song_intake.admission.lead import Lead
    from song_intake.admission.pace import Pace
    from song_intake.admission.pace_item import PaceItem

READY_SECONDS = 0.05
"""A slot for a thread that is connected already is reserved this far ahead: the write takes some hundredths."""

MOST_LATE_SECONDS = 0.25
"""How long after its slot a create may be sent; half an interval, if that is shorter. A later create would be too close
to the next slot. A slot for which no thread is ready goes unused. Our choice."""

MOST_HELD_SECONDS = 5.0
"""How long an open connection may wait for its slot; the longest lead, if that is longer. A server may close an idle
connection, and a create that is sent at that moment has an unknown outcome. Our choice: servers usually keep idle
connections longer."""


@dataclass(slots=True, eq=False, repr=False)
class SlotReservation:
    """One thread's right to one of the slots. An unused reservation leaves its slot to another thread.

    `with` waits until the slot is near, and returns the reason instead if there will be none.
    """

    slots: Slots
    is_ready: bool = False
    refusal: Retryable | None = None
    started: float = 0.0
    """When the thread started to connect, on the monotonic clock."""

    def __enter__(self) -> SlotReservation | Retryable:
        try:
            refusal = self.slots.wait_until_near(self)
        except BaseException:
            self.slots.release(self)
            raise
        self.started = time.monotonic()
        return refusal or self

    def __exit__(self, *_: object) -> None:
        self.slots.release(self)

    def wait(self) -> Retryable | None:
        """Wait for the slot and use it. None: send the create now; else the reason why there is no slot."""
        return self.slots.use_slot(self)

    def slow_down(self, retry_after: float | None) -> None:
        """See Reservation.slow_down."""
        self.slots.slow_down(retry_after)


class Slots:
    """Safe to share between threads. Moments are seconds since 1970, by the wall clock of this process.

    lead: how long before its slot a thread starts. latest: the last moment at which a create may begin.
    """

    def __init__(
        self, item: PaceItem, interval: float, lead: Lead, latest: float, changed: threading.Condition
    ) -> None:
        self._item = item
        self._interval = interval
        self._grace = min(MOST_LATE_SECONDS, interval / 2)
        self._lead = lead
        self._most_held = max(MOST_HELD_SECONDS, lead.longest)
        self._latest = latest
        self._changed = changed
        self._is_writing = False
        self._reservations: list[SlotReservation] = []
        """In the order of arrival."""
        self._slots: list[float] = []
        """In the order of time."""

    def reserve(self) -> SlotReservation:
        """A reservation. The caller must release it, whether it was used or not."""
        reservation = SlotReservation(self)
        with self._changed:
            self._reservations.append(reservation)
        return reservation

    def wait_until_near(self, reservation: SlotReservation) -> Retryable | None:
        """Wait until the lead before the slot begins. Returns the reason if there will be none."""
        return self._wait(reservation, lambda: self._slot_of(reservation, self._reservations) - self._lead.seconds)

    def use_slot(self, reservation: SlotReservation) -> Retryable | None:
        """See SlotReservation.wait."""
        with self._changed:
            reservation.is_ready = True
            self._lead.record(time.monotonic() - reservation.started)
            # The lead may be longer now: the other threads compute anew when they have to start.
            self._changed.notify_all()
        return self._wait(reservation, lambda: self._slot_of(reservation, self._ready()), at_most=self._most_held)

    def release(self, reservation: SlotReservation) -> None:
        """Give back the slot of an unused reservation. For a used one this has no effect and cannot fail."""
        with self._changed:
            if reservation not in self._reservations:
                return
            self._reservations.remove(reservation)
            self._changed.notify_all()
        self._balance()

    def slow_down(self, retry_after: float | None) -> None:
        """Slow down all workers. The slots of this invocation are dropped, not given back: no worker may use them."""
        with self._changed:
            while self._is_writing:
                self._changed.wait()
            self._is_writing = True
            self._slots.clear()
        try:
            with suppress(LedgerUnavailable):
                self._item.change(lambda pace: (pace.slowed(time.time(), retry_after, self._interval), None))
        finally:
            self._written(())

    def _wait(
        self, reservation: SlotReservation, moment: Callable[[], float], at_most: float = math.inf
    ) -> Retryable | None:
        """Wait until that moment, which moves when other threads use slots or give them back."""
        while True:
            self._balance()
            with self._changed:
                if reservation.refusal is not None:
                    return reservation.refusal
                seconds = moment() - time.time()
                if seconds <= 0:
                    self._use_if_ready(reservation)
                    return None
                if at_most < seconds < math.inf:
                    return _paced(seconds)
                if self._is_writing or self._missing() == 0:
                    self._changed.wait(None if math.isinf(seconds) else seconds)

    def _slot_of(self, reservation: SlotReservation, queue: list[SlotReservation]) -> float:
        """The slot of this reservation, if the reservations ahead of it in the queue use their slots."""
        position = queue.index(reservation)
        return self._slots[position] if position < len(self._slots) else math.inf

    def _ready(self) -> list[SlotReservation]:
        return [reservation for reservation in self._reservations if reservation.is_ready]

    def _use_if_ready(self, reservation: SlotReservation) -> None:
        if reservation.is_ready:
            del self._slots[0]
            self._reservations.remove(reservation)
            self._changed.notify_all()

    def _missing(self) -> int:
        return len(self._reservations) - len(self._slots)

    def _balance(self) -> None:
        """Keep as many slots as reservations: reserve missing ones or give back extra ones, one thread at a time."""
        with self._changed:
            self._drop_past_slots()
            missing = self._missing()
            if self._is_writing or missing == 0:
                return
            self._is_writing = True
            ready = min(max(0, len(self._ready()) - len(self._slots)), max(0, missing))
            extra = tuple(self._slots[len(self._reservations) :])
            del self._slots[len(self._reservations) :]
        reserved: tuple[float, ...] = ()
        refusal: Retryable | None = None
        try:
            if extra:
                self._give_back(extra)
            else:
                reserved, refusal = self._add_slots(missing, ready)
        finally:
            self._written(reserved, missing - len(reserved), refusal)

    def _drop_past_slots(self) -> None:
        least = time.time() - self._grace
        self._slots = [slot for slot in self._slots if slot >= least]

    def _add_slots(self, count: int, ready: int) -> tuple[tuple[float, ...], Retryable]:
        """The slots, and the reason for those that are missing. ready: how many are for threads that are connected."""

        def reserve(pace: Pace) -> tuple[Pace, tuple[tuple[float, ...], float]]:
            now = time.time()
            after, first = pace.reserve(now + READY_SECONDS, ready, self._latest, self._interval)
            after, others = after.reserve(now + self._lead.soonest, count - ready, self._latest, self._interval)
            # In time to connect for that slot.
            return after, ((*first, *others), max(0.0, after.next_at - now - self._lead.soonest))

        try:
            slots, wait = self._item.change(reserve)
        except LedgerUnavailable as failure:
            return (), Retryable(Reason.LEDGER_UNAVAILABLE, f"no slot could be reserved ({failure})")
        return slots, _paced(wait)

    def _give_back(self, slots: tuple[float, ...]) -> None:
        """If the write fails, the slots go unused."""
        with suppress(LedgerUnavailable):
            self._item.change(lambda pace: (pace.give_back(slots, time.time()), None))

    def _written(self, reserved: tuple[float, ...], short: int = 0, refusal: Retryable | None = None) -> None:
        with self._changed:
            self._is_writing = False
            self._slots = sorted((*self._slots, *reserved))
            # The last to arrive get no slot.
            while refusal is not None and short > 0 and self._reservations:
                self._reservations.pop().refusal = refusal
                refusal = replace(refusal, is_repeat=True)
                short -= 1
            self._changed.notify_all()


def _paced(seconds: float) -> Retryable:
    return Retryable(Reason.PACED, "no send slot is available before this invocation ends", retry_after=seconds)
