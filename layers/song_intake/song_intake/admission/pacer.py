"""When a create may be sent, so that all workers together keep to the vendor's pace.

with pacer.reserve() as slot      wait until a slot is near; a Retryable: there is none in this invocation
    connect, claim
    slot.wait()                   wait for the slot; None: send now
    slot.slow_down(...)           the music API answered 429: all workers slow down for a while
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from song_intake.admission.pace import SECONDS_A_MINUTE, LambdaClock
from song_intake.admission.slots import SlotReservation, Slots
from song_intake.domain.outcome import Retryable

if TYPE_CHECKING:
    from song_intake.admission.pace_item import PaceItem


class Reservation(Protocol):
    """One thread's right to a slot; an unused one leaves its slot to another thread."""

    def __enter__(self) -> Reservation | Retryable: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def wait(self) -> Retryable | None: ...

    def slow_down(self, retry_after: float | None) -> None: ...


class Pacer(Protocol):
    """Safe to share between threads."""

    def begin(self, time_left: Callable[[], float]) -> None:
        """Call it first in an invocation, before any reservation."""

    def reserve(self) -> Reservation: ...


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
    """One per process. Times are seconds; function_timeout is from which Lambda derives an invocation's deadline.

    paid_call: what must be left of the invocation when a create begins.
    """

    def __init__(
        self,
        item: PaceItem,
        creates_per_minute: float,
        function_timeout: float,
        paid_call: float,
        condition: Callable[[], threading.Condition] = threading.Condition,
    ) -> None:
        self._item = item
        self._interval = SECONDS_A_MINUTE / creates_per_minute
        self._function_timeout = function_timeout
        self._paid_call = paid_call
        self._condition = condition
        self._slots: Slots | None = None

    def begin(self, time_left: Callable[[], float]) -> None:
        """See Pacer.begin. A thread that still hangs in an earlier invocation keeps to the slots of that one."""
        left = time_left()
        clock = LambdaClock.at_start(left, self._function_timeout)
        latest = clock.now() + left - self._paid_call
        self._slots = Slots(self._item, self._interval, clock, latest, self._condition())

    def reserve(self) -> SlotReservation:
        if self._slots is None:
            raise RuntimeError("a slot was reserved before the invocation had begun")
        return self._slots.reserve()
