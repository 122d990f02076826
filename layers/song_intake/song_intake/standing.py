"""What a row that stands in the way says to a message: the decision without a create."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, assert_never

from song_intake.decision import DeadLetter, Decision, Done, RetryIn
from song_intake.ledger_row import Row, Status
from song_intake.reason import Reason

if TYPE_CHECKING:
    from song_intake.ledger import Ledger
    from song_intake.message import Message
    from song_intake.song_request import SongRequest

_ABANDONED = "the function that had begun the call did not live to tell how it ended"


def decision_for(row: Row, request: SongRequest, message: Message, ledger: Ledger, window: float) -> Decision:
    """Writes only where a claim's lease is over. Raises LedgerUnavailable.

    window: seconds for which a new doubt may still be settled by the vendor's webhook.
    """
    if row.fingerprint != request.fingerprint and row.status is not Status.REJECTED:
        detail = "another request was sent under this request_id before, and its song may exist"
        return DeadLetter(Reason.REQUEST_ID_REUSED, detail)
    match row.status:
        case Status.SUBMITTED:
            return Done(row.task_id, duplicate=True)
        case Status.SUCCEEDED | Status.FAILED:
            return Done(row.task_id, duplicate=True, ended=row.status)
        case Status.IN_DOUBT if (wait := row.doubt_until - time.time()) > 0:
            return RetryIn(wait + 1, Reason.AWAITING_WEBHOOK, "the music API may still tell by its webhook")
        case Status.IN_DOUBT:
            return _letter(row, Reason.OUTCOME_UNKNOWN)
        case Status.REJECTED if row.message_id == message.message_id:
            return _letter(row, Reason.REFUSED)
        case Status.SUBMITTING:
            return _of_a_claim(row, request, message, ledger, window)
        case Status.RETRYING | Status.REJECTED:
            # The row changed between two of our writes: it may be claimed now, so look again at once.
            return RetryIn(0, Reason.CLAIM_HELD, "another delivery of this request was being submitted")
        case _:
            assert_never(row.status)


def _of_a_claim(row: Row, request: SongRequest, message: Message, ledger: Ledger, window: float) -> Decision:
    """Somebody may be in the call; or nobody lives to tell, and it is in doubt from now on."""
    if not row.lease_is_over():
        wait = max(row.lease_until - time.time(), 0) + 1
        return RetryIn(wait, Reason.CLAIM_HELD, "another delivery of this request is being submitted")
    standing = ledger.abandoned(row, Reason.OUTCOME_UNKNOWN, _ABANDONED, window)
    if standing is None:
        return in_doubt(DeadLetter(Reason.OUTCOME_UNKNOWN, _ABANDONED), window)
    return decision_for(standing, request, message, ledger, window)


def in_doubt(letter: DeadLetter, window: float) -> Decision:
    """A new doubt: the message waits for the webhook, where one may come, and becomes a dead letter after that."""
    if window <= 0:
        return letter
    return RetryIn(window + 1, Reason.AWAITING_WEBHOOK, letter.detail)


def _letter(row: Row, otherwise: Reason) -> DeadLetter:
    """The dead letter that this row's message had, or should have had, again."""
    reason = Reason(row.reason) if row.reason else otherwise
    return DeadLetter(reason, row.detail or "", row.http_status, row.vendor_code)
