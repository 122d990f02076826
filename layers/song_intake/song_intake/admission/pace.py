"""The pace of the creates: which moments may be used, worked out from one small state that all workers share.

A slot is a moment at which one create may be sent. Slots lie an interval apart, as in GCRA, the leaky bucket that needs
no more memory than one time: the next slot is the one after the last, or now, whatever is later. Two things are added:

    free    slots that were given back in time are handed out again, before new ones
    slow    after a 429 the next slots come later and further apart, and then closer again, minute by minute

Pure: the time is an argument, in seconds since 1970, and every change gives a new state.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Self

SECONDS_A_MINUTE = 60

MOST_SLOW = 8.0
"""How many times the interval the slots lie apart at the most."""
RECOVERY_SECONDS = 300.0
"""How long it takes from the slowest pace after a 429 back to the usual one. Not published by the vendor: a guess."""
PAUSE_INTERVALS = 3
"""How many intervals nobody sends after a 429, where the API names no time."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What is reserved, and how slow it goes. The first one has nothing behind it."""

    next_at: float = 0.0
    """The earliest moment that nobody has reserved yet, but for the free ones."""
    free: tuple[float, ...] = ()
    """Slots that were given back, earliest first."""
    slow: float = 1.0
    slow_from: float = 0.0
    """The first slot at the slower pace: a 429 before it says nothing about that pace."""

    def reserve(self, earliest: float, count: int, latest: float, interval: float) -> tuple[Pace, tuple[float, ...]]:
        """The first `count` slots of that time, in order; fewer, where the others would lie after `latest`."""
        again = tuple(slot for slot in self.free if earliest <= slot <= latest)[:count]
        kept = tuple(slot for slot in self.free if slot >= earliest and slot not in again)
        after = replace(self, next_at=max(self.next_at, earliest), free=kept)
        slots = list(again)
        while len(slots) < count and after.next_at <= latest:
            slots.append(after.next_at)
            after = replace(after, next_at=after.next_at + interval * after.slowness(after.next_at))
        return after, tuple(slots)

    def give_back(self, slots: tuple[float, ...], now: float) -> Pace:
        """Slots that nobody will use. What was reserved before a 429 is not handed out again after it."""
        least = max(now, self.slow_from)
        return replace(self, free=tuple(sorted(slot for slot in {*self.free, *slots} if slot >= least)))

    def slowed(self, now: float, retry_after: float | None, interval: float) -> Pace:
        """After a 429. Many that were sent at one pace slow it down once."""
        resume = max(self.next_at, now + (retry_after or 0.0), now + PAUSE_INTERVALS * interval)
        if now < self.slow_from:
            return replace(self, next_at=resume)
        return Pace(resume, (), min(MOST_SLOW, 2 * self.slowness(now)), resume)

    def slowness(self, at: float) -> float:
        """By how much the slots then lie further apart: 1 is the usual pace."""
        left = 1 - max(0.0, at - self.slow_from) / RECOVERY_SECONDS
        return 1 + (self.slow - 1) * max(0.0, left)


@dataclass(frozen=True, slots=True)
class LambdaClock:
    """Seconds since 1970 by the clock of the Lambda service, for one invocation: the one clock that all workers share.

    The wall clocks of two workers may differ by seconds. But each invocation has a deadline that the Lambda service
    set, and the runtime client returns the time left as `deadline - wall clock`. Adding the wall clock removes its
    error; from there on the monotonic clock counts, which is never set.

    The remaining error is the time from the moment at which Lambda starts to count to the first line of the function:
    milliseconds, the start of a new environment not included.
    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next (Lambda-Runtime-Deadline-Ms)
    """

    began: float
    began_monotonic: float

    @classmethod
    def at_start(cls, time_left: float, function_timeout: float) -> Self:
        """Call it once, first of all in an invocation: later readings of the time left add nothing."""
        return cls(time.time() + time_left - function_timeout, time.monotonic())

    def now(self) -> float:
        return self.began + time.monotonic() - self.began_monotonic
