"""An operator's order to redrive_letters: which dead letters to count or to move.

    {"queue": "requests", "reason": "OUTCOME_UNKNOWN", "limit": 100, "older_hours": 2, "dry_run": true, "before": 1.0}

Every member but `queue` may be missing or null.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Self

from song_intake.contract.errors import is_showable
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason

_MEMBERS = frozenset(("queue", "reason", "limit", "older_hours", "dry_run", "before"))
_SECONDS_AN_HOUR = 3600

# Beyond any date. JSON has numbers that no float holds.
_LARGEST_NUMBER = 10**12


class RedriveRefused(ValueError):
    """The order is invalid, and nothing was done."""


@frozen
class RedriveOrder:
    """Times are in seconds since 1970."""

    queue: str
    reason: Reason | None
    """Only letters with this reason."""
    limit: int | None
    """At most so many letters."""
    before: float
    """Only letters that were sent before: a request in doubt becomes a letter again moments after it was moved."""
    is_dry_run: bool
    """Whether the letters are only counted."""
    at: float
    """When the order was read."""

    @classmethod
    def of(cls, event: Mapping[str, object], queues: Collection[str]) -> Self:
        """Read an event. Raises RedriveRefused."""
        if unknown := event.keys() - _MEMBERS:
            shown = sorted(name if is_showable(name) else "[?]" for name in unknown)
            raise RedriveRefused(f"{', '.join(shown)}: no such option")
        queue, limit, is_dry_run = event.get("queue"), event.get("limit"), event.get("dry_run") or False
        if not isinstance(queue, str) or queue not in queues:
            raise RedriveRefused(f"queue must be one of {', '.join(queues)}")
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            raise RedriveRefused("limit must be a whole number above 0")
        if not isinstance(is_dry_run, bool):
            raise RedriveRefused("dry_run must be true or false")
        at = time.time()
        before = min(_number(event, "before", at), at - _number(event, "older_hours", 0) * _SECONDS_AN_HOUR)
        return cls(queue, _reason_in(event), limit, before, is_dry_run, at)

    def selects(self, reason: str, sent_at: float) -> bool:
        """Whether a letter with this reason, sent at this time, is meant."""
        return sent_at < self.before and self.reason in (None, reason)


def _number(event: Mapping[str, object], name: str, default: float) -> float:
    value = event.get(name)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LARGEST_NUMBER:
        raise RedriveRefused(f"{name} must be a number from 0 to {_LARGEST_NUMBER:,}")
    return value


def _reason_in(event: Mapping[str, object]) -> Reason | None:
    reason = event.get("reason")
    try:
        return None if reason is None else Reason(str(reason))
    except ValueError:
        raise RedriveRefused("reason must be a reason code") from None
