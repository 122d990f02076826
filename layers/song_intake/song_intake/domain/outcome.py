"""What one create did, as values.

    Created    the music API named a task: the song is paid for
    Refused    definitely not created, and the same request would be refused again
    Retryable  definitely not created, and the same request may succeed later
    Unknown    a song may exist, so the request must never be sent again

An expected response is never an exception: a caller matches on these four, and the type checker finds a missing one.
"""

from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason


@frozen
class Created:
    task_id: str


@frozen
class Refused:
    reason: Reason
    detail: str
    http_status: int | None = None
    vendor_code: str | None = None
    balance_decides: bool = False
    """The response does not show whether the request or the account is the cause. With a balance that cannot pay for a
    song, the account is the cause."""


@frozen
class Retryable:
    reason: Reason
    detail: str
    http_status: int | None = None
    vendor_code: str | None = None
    retry_after: float | None = None
    """The shortest wait in seconds, where one is known: from the music API, the pace, or a circuit breaker on trial."""
    is_repeat: bool = False
    """Another thread has met the very same failure: together they are one."""


@frozen
class Unknown:
    detail: str
    http_status: int | None = None
    vendor_code: str | None = None
    reason: Reason = Reason.OUTCOME_UNKNOWN


Outcome = Created | Refused | Retryable | Unknown
