"""How long before its slot a thread starts to connect and to claim, from what both took lately in this process.

The time that counts is a decaying maximum: a slow connect counts at once, and is forgotten within some minutes. A lead
that is too short makes a thread miss its slot. One that is too long only keeps a connection open for some seconds.
"""

from __future__ import annotations

LEAD_SECONDS = 1.0
"""The shortest lead. Our choice: early enough for another thread or worker to use the slot if the request is a
duplicate."""

SOONEST_SECONDS = 0.5
"""Slots are reserved at least this far ahead: connecting and claiming usually take some tenths of a second."""

CLAIM_SECONDS = 1.0
"""The longest claim that the lead allows for. A claim usually takes hundredths of a second. Our choice."""

MARGIN_SECONDS = 0.25
"""How much longer than lately a connect may take without missing its slot, beside a tenth of its time. Our choice."""

DECAY = 0.02
"""The part of the difference that each faster connect takes off. Our choice: half of it within 35 connects, so that one
slow connect in 50, as a lost packet causes, is not forgotten before the next."""


class Lead:
    """One per process, for its life. Times are in seconds. Threads that share it must lock around `record`.

    connect_timeout: the longest that a connect may take.
    """

    def __init__(self, connect_timeout: float) -> None:
        self.longest = max(LEAD_SECONDS, connect_timeout + CLAIM_SECONDS)
        self._slowest: float | None = None

    def record(self, seconds: float) -> None:
        """Connecting and claiming took this long."""
        last = seconds if self._slowest is None else self._slowest
        self._slowest = max(seconds, last - DECAY * (last - seconds))

    @property
    def seconds(self) -> float:
        """How long before its slot a thread starts. A new process does not know yet, and allows for the slowest."""
        return self.longest if self._slowest is None else max(LEAD_SECONDS, self._needed(self._slowest))

    @property
    def soonest(self) -> float:
        """How far ahead a slot must be for a thread that has not started. A new process does not know yet, and hopes
        for the best: where nothing else waits, the first create is not delayed, and a missed slot costs nothing."""
        return SOONEST_SECONDS if self._slowest is None else max(SOONEST_SECONDS, self._needed(self._slowest))

    def _needed(self, slowest: float) -> float:
        return min(self.longest, 1.1 * slowest + MARGIN_SECONDS)
