"""When a create may be sent, so that all workers together keep to the pace of the vendor.

with pacer.place() as place       wait for a slot to come near; NotSent: there is none in this invocation
    connect, claim
    place.its_turn()              wait for the slot; None: send now
    place.refused(...)            the music API said 429: everybody slows down for a while
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from song_intake.lambda_clock import LambdaClock
from song_intake.outcome import NotSent
from song_intake.pace import SECONDS_A_MINUTE
from song_intake.slots import Slots

if TYPE_CHECKING:
    from song_intake.pace_table import PaceTable


class Place(Protocol):
    """A thread's place in the row of those that will send. Leaving it unused leaves its slot to another."""

    def __enter__(self) -> Place | NotSent: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def its_turn(self) -> NotSent | None: ...

    def refused(self, retry_after: float | None) -> None: ...


class Pacer(Protocol):
    """Safe to share between threads."""

    def begin(self, time_left: Callable[[], float]) -> None:
        """To be called first in an invocation, before any place is asked for."""

    def place(self) -> Place: ...


class Unpaced:
    """Where no pace is set: it is always everybody's turn."""

    def begin(self, *_: object) -> None:
        return

    def place(self) -> Place:
        return self

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def its_turn(self) -> None:
        return

    def refused(self, *_: object) -> None:
        return


class SharedPacer:
    """One for a process. Times are seconds; function_timeout is what Lambda counts the deadline of an invocation by.

    paid_call: what must be left of the invocation when a create begins.
    """

    def __init__(
        self,
        table: PaceTable,
        creates_per_minute: float,
        function_timeout: float,
        paid_call: float,
        condition: Callable[[], threading.Condition] = threading.Condition,
    ) -> None:
        self._table = table
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
        self._slots = Slots(self._table, self._interval, clock, latest, self._condition())

    def place(self) -> Place:
        if self._slots is None:
            raise RuntimeError("a place was asked for before the invocation had begun")
        return _Place(self._slots)


class _Place:
    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._ticket = slots.ticket()

    def __enter__(self) -> Place | NotSent:
        try:
            return self._slots.approach(self._ticket) or self
        except BaseException:
            self._slots.hand_in(self._ticket)
            raise

    def __exit__(self, *_: object) -> None:
        self._slots.hand_in(self._ticket)

    def its_turn(self) -> NotSent | None:
        return self._slots.take(self._ticket)

    def refused(self, retry_after: float | None) -> None:
        self._slots.slowed(retry_after)
