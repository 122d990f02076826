"""What one create did, as values.

    Created   the music API named a task: the song is paid for
    Refused   proved not created, and the same request would be refused again
    NotSent   proved not created, and the same request may pass later
    Unknown   nobody knows: a song may exist, so it must never be asked for again

An expected answer is never an exception: a caller matches on these four, and the type checker sees that none is
forgotten.
"""

from dataclasses import dataclass

from song_intake.domain.reason import Reason


@dataclass(frozen=True, slots=True)
class Created:
    task_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Reason
    detail: str
    http_status: int | None = None
    vendor_code: str | None = None


@dataclass(frozen=True, slots=True)
class Retryable:
    reason: Reason
    detail: str
    http_status: int | None = None
    vendor_code: str | None = None
    retry_after: float | None = None
    """Seconds to wait at least, where somebody said so: the music API, the pace, or a circuit breaker on trial."""


@dataclass(frozen=True, slots=True)
class Unknown:
    detail: str
    http_status: int | None = None
    vendor_code: str | None = None
    reason: Reason = Reason.OUTCOME_UNKNOWN


Outcome = Created | Refused | Retryable | Unknown
