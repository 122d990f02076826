"""Notices that the music API refuses one request after another in the same way: it may require something new.

No request waits for that. Each refusal is its own request's, and a caller with a fault must not stop the others. So it
is only reported.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from song_intake.domain.outcome import Created, Outcome, Refused

REFUSALS_IN_A_ROW = 10

# What the music API answers to a request that is wrong. A 403 is the circuit breaker's.
_STATUSES = frozenset((400, 422))

ReportRefusal = Callable[[Refused], None]
"""Reports that the last REFUSALS_IN_A_ROW requests were refused like this one."""


class RefusalStreak:
    """One for all threads of the process."""

    def __init__(self, report: ReportRefusal = lambda _: None) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._kind: object = None
        self._length = 0

    def record(self, outcome: Outcome) -> None:
        """What became of a request. Only a create or another refusal ends a streak: the rest is not about requests."""
        match outcome:
            case Refused(http_status=status) if status in _STATUSES:
                if self._is_complete_with((status, outcome.vendor_code, outcome.detail)):
                    self._report(outcome)
            case Created() | Refused():
                with self._lock:
                    self._length = 0

    def _is_complete_with(self, kind: object) -> bool:
        with self._lock:
            self._length = self._length + 1 if kind == self._kind else 1
            self._kind = kind
            if self._length < REFUSALS_IN_A_ROW:
                return False
            # The next report needs as many again.
            self._length = 0
            return True
