"""What becomes of one message. Submitting decides; the batch carries it out and improvises nothing."""

from dataclasses import dataclass

from song_intake.ledger_row import Status
from song_intake.reason import Reason


@dataclass(frozen=True, slots=True)
class Done:
    """What the message asked for is done, here or before: it leaves the queue."""

    task_id: str | None
    duplicate: bool = False
    ended: Status | None = None
    """How the song ended, where it has."""
    passed_on: bool = False
    """Another message carries on with it."""


@dataclass(frozen=True, slots=True)
class RetryIn:
    """The message stays on its queue and is seen again after so many seconds; None: after the queue's own time-out."""

    seconds: float | None
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A copy goes to the dead-letter queue with these attributes; then the message leaves its own queue."""

    reason: Reason
    detail: str
    http_status: int | None = None
    vendor_code: str | None = None
    task_id: str | None = None


Decision = Done | RetryIn | DeadLetter
