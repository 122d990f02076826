"""What becomes of a message that is over the budget: it waits for the next UTC day, and uses up no receives.

    first receive     hidden, for up to 11 hours: one receive, and no call but that
    second receive    sent anew, with a fresh receive count

SQS hides at most 120,000 messages of a queue, and delivers none of them beyond that. So where many are hidden already,
a message is sent anew at once, delayed by 15 minutes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.domain.decision import Decision, RetryIn, SendAnew
from song_intake.domain.status import Status
from song_intake.ledger.table import Existing
from song_intake.outgoing.checks import LONGEST_DELAY_SECONDS
from song_intake.work.existing_row import decide_by_row

if TYPE_CHECKING:
    from song_intake.admission.daily_budget import CreateReservation, DailyBudget
    from song_intake.contract.song_request import SongRequest
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.outcome import Retryable
    from song_intake.ledger.submitting import SubmissionStore

MOST_HIDDEN = 60_000
"""Half of what SQS hides. Our choice: the count of SQS is approximate, and a process reads it once a minute.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""

COUNT_VALID_SECONDS = 60.0


class HiddenMessages:
    """How many messages of the queue are hidden, as one process knows it. Safe to share between threads.

    count: asks SQS; None if it did not answer.
    """

    def __init__(self, count: Callable[[], int | None]) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._are_many = False

    def are_many(self) -> bool:
        """Whether no further message should be hidden. So also if SQS did not answer.

        One thread asks SQS, and the others use the last answer meanwhile.
        """
        with self._lock:
            now = time.time()
            if 0 <= now - self._read_at < COUNT_VALID_SECONDS:
                return self._are_many
            self._read_at = now
        hidden = self._count()
        self._are_many = hidden is None or hidden >= MOST_HIDDEN
        return self._are_many


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class BudgetGate:
    """Safe to share between threads."""

    budget: DailyBudget
    hidden: HiddenMessages

    def refusal(self, message: Message) -> Retryable | None:
        """Why the message waits, if its sender's creates are known to be used up. Makes no call."""
        return self.budget.refusal(message.sender)

    def reserve(self, message: Message) -> CreateReservation:
        """See DailyBudget.reserve."""
        return self.budget.reserve(message.sender)

    def decide_by_row(self, store: SubmissionStore, request: SongRequest, message: Message) -> Decision | None:
        """The decision for a message whose request needs no further create. None: it waits.

        Only a message that was received before may have such a row by itself, after a crash. For the others no row is
        read. Raises LedgerUnavailable.
        """
        row = store.table.row(request.request_id) if message.receive_count > 1 else None
        if row is None or row.status is Status.RETRYING:
            return None
        decision = decide_by_row(store, store.existing(Existing(row), request), request, message)
        # A rejected row that is no decision about this message may be claimed by it, on another day.
        return None if row.status is Status.REJECTED and isinstance(decision, RetryIn) else decision

    def wait(self, message: Message, decision: RetryIn) -> RetryIn | SendAnew:
        """How the message waits, so that its receive count does not rise from day to day."""
        if message.receive_count == 1 and not self.hidden.are_many():
            return decision
        return SendAnew(min(decision.seconds or 0, LONGEST_DELAY_SECONDS), decision.reason, decision.detail)
