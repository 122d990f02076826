"""When a create may be sent, so that all workers together keep to the vendor's pace.

with pacer.reserve() as slot      wait until a slot is near; a Retryable: this invocation has no slot left
    connect, claim
    slot.wait()                   wait for the slot; None: send now; a Retryable: do not send
    slot.slow_down(...)           the music API answered 429: all workers slow down for a while
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from song_intake.admission.lead import Lead
from song_intake.admission.pace import SECONDS_A_MINUTE
from song_intake.admission.slots import SlotReservation, Slots
from song_intake.domain.outcome import Retryable

if TYPE_CHECKING:
    from song_intake.admission.pace_item import PaceItem


class Reservation(Protocol):
    """One thread's right to a slot. An unused reservation leaves its slot to another thread."""

    def __enter__(self) -> Reservation | Retryable:
        """Wait until the slot is near; the reason if there will be none."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def wait(self) -> Retryable | None:
        """Wait for the slot and use it. None: send the create now; else the reason why there is no slot."""

    def slow_down(self, retry_after: float | None) -> None:
        """The music API answered 429, perhaps with the seconds to wait: all workers slow down for a while."""


class Pacer(Protocol):
    """Decides when creates may be sent. Safe to share between threads."""

    def begin(self, time_left: Callable[[], float]) -> None:
        """Call this first in an invocation, before any reservation. time_left: seconds."""

    def reserve(self) -> Reservation:
        """A reservation of one slot, for a `with` statement."""


class Unpaced:
    """No pace is set: every create may be sent at once."""

    def begin(self, *_: object) -> None:
        return

    def reserve(self) -> Reservation:
        return self

    def __enter__(self) -> Reservation:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def wait(self) -> None:
        return

    def slow_down(self, *_: object) -> None:
        return


class SharedPacer:
    """One per process; `item` shares the pace with all other workers.

    paid_call: seconds of the invocation that must be left when a create begins.
    connect_timeout: the longest that a connect to the music API may take, in seconds.
    condition: makes the lock on which the threads of an invocation wait.
    """

    def __init__(
        self,
        item: PaceItem,
        creates_per_minute: float,
        paid_call: float,
        connect_timeout: float,
        condition: Callable[[], threading.Condition] = threading.Condition,
    ) -> None:
        self._item = item
        self._interval = SECONDS_A_MINUTE / creates_per_minute
        self._paid_call = paid_call
        self.lead = Lead(connect_timeout)
        """Shared by all invocations of the process."""
        self._condition = condition
        self._slots: Slots | None = None

    def begin(self, time_left: Callable[[], float]) -> None:
        """See Pacer.begin. A thread that still hangs from an earlier invocation uses the slots of that invocation."""
        latest = time.time() + time_left() - self._paid_call
        self._slots = Slots(self._item, self._interval, self.lead, latest, self._condition())

    def reserve(self) -> SlotReservation:
        """See Pacer.reserve. Raises RuntimeError before the first `begin`."""
        if self._slots is None:
            raise RuntimeError("a slot was reserved before the invocation had begun")
        return self._slots.reserve()
