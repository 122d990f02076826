"""The pace of the creates: when each may be sent, computed from one small state that all workers share.

A slot is a moment at which one create may be sent. Slots are one interval apart, as in GCRA, the leaky bucket that
stores a single time: the next slot is one interval after the last slot, or now, whichever is later. Two additions:

    free    slots that were given back in time are reserved again, before new ones
    slow    after a 429 the next slots come later and further apart; their distance shrinks again from slot to slot

Pure: the time is an argument, in seconds since 1970, and every change returns a new state.
"""

from __future__ import annotations

from dataclasses import replace

from song_intake.domain.frozen import frozen
from song_intake.music_api.answer import LONGEST_RETRY_AFTER_SECONDS

SECONDS_A_MINUTE = 60

MOST_SLOW = 8.0
"""The largest distance between slots, in intervals. Our choice; the vendor publishes no figure."""
LONGEST_DISTANCE_SECONDS = 100.0
"""The largest distance between slots of a slower pace, unless the usual one is larger: each worker then finds a slot
within an invocation. Without this limit, the workers would receive the whole backlog in turn, only to find no slot."""
RECOVERY_SECONDS = 300.0
"""The time from the slowest pace after a 429 to the usual one. The vendor publishes no figure: a guess."""
PAUSE_INTERVALS = 3
"""Intervals without any create after a 429 that names no time to wait. Our choice."""
LONGEST_INVOCATION_SECONDS = 900.0
"""No worker reserves a slot further ahead than its invocation lasts.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


@frozen
class Pace:
    """Which slots are reserved, and how slow the pace is. The defaults are the state before the first reservation."""

    next_at: float = 0.0
    """The first moment after all reserved slots."""
    free: tuple[float, ...] = ()
    """Slots that were given back, earliest first."""
    slow: float = 1.0
    """The distance between slots at `slow_from`, in intervals."""
    slow_from: float = 0.0
    """The first slot of the slower pace. A 429 before it is an answer to a create of the earlier pace."""

    def reserve(self, earliest: float, count: int, latest: float, interval: float) -> tuple[Pace, tuple[float, ...]]:
        """Reserve the first `count` slots from `earliest` to `latest`; fewer, if the others would be after `latest`.

        interval: seconds between slots at the usual pace. Returns the state after it, and the slots in order of time.
        """
        state = self._without_wrong_clocks(earliest, interval)
        reused = tuple(slot for slot in state.free if earliest <= slot <= latest)[:count]
        kept = tuple(slot for slot in state.free if slot >= earliest and slot not in reused)
        after = replace(state, next_at=max(state.next_at, earliest), free=kept)
        slots = list(reused)
        while len(slots) < count and after.next_at <= latest:
            slots.append(after.next_at)
            after = replace(after, next_at=after.next_at + interval * after.slowness(after.next_at))
        return after, tuple(slots)

    def _without_wrong_clocks(self, now: float, interval: float) -> Pace:
        """Without the moments that only a worker whose clock was ahead can have reserved.

        Else one wrong clock would stop every create until that moment: a needless slot is cheap, an hour without any is
        not. interval: as for `reserve`.
        """
        ahead = LONGEST_INVOCATION_SECONDS + most_slow(interval) * interval
        slow_from = self.slow_from if self.slow_from <= now + LONGEST_RETRY_AFTER_SECONDS + ahead else now
        furthest = max(now, slow_from) + ahead
        next_at = self.next_at if self.next_at <= furthest else max(now, slow_from)
        return replace(self, next_at=next_at, slow_from=slow_from, free=tuple(s for s in self.free if s <= furthest))

    def give_back(self, slots: tuple[float, ...], now: float) -> Pace:
        """Give back slots that will not be used. A slot of the time before the slower pace is not reserved again."""
        least = max(now, self.slow_from)
        return replace(self, free=tuple(sorted(slot for slot in {*self.free, *slots} if slot >= least)))

    def slowed(self, now: float, retry_after: float | None, interval: float) -> Pace:
        """The state after a 429. Several 429s at one pace slow it down once.

        retry_after: the seconds to wait that the API named, if it did. interval: as for `reserve`.
        """
        state = self._without_wrong_clocks(now, interval)
        named = now + (retry_after or 0.0)
        resume = max(state.next_at, named, now + PAUSE_INTERVALS * interval)
        if now < state.slow_from:
            # Another worker may have given back slots of the slower pace: none of them before the named time.
            free = tuple(slot for slot in state.free if slot >= named)
            return replace(state, next_at=resume, free=free, slow_from=max(state.slow_from, named))
        return Pace(resume, (), min(most_slow(interval), 2 * state.slowness(now)), resume)

    def slowness(self, at: float) -> float:
        """The distance between slots at this moment, in intervals: 1 is the usual pace."""
        left = 1 - max(0.0, at - self.slow_from) / RECOVERY_SECONDS
        return 1 + (self.slow - 1) * max(0.0, left)


def most_slow(interval: float) -> float:
    """The largest distance between slots, in intervals of that many seconds."""
    return max(1.0, min(MOST_SLOW, LONGEST_DISTANCE_SECONDS / interval))
