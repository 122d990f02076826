"""Gives up a message whose receives led to no decision, or whose request has expired.

The row decides in the end: a song may exist.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from song_intake.domain.decision import DeadLetter
from song_intake.domain.outcome import Refused, Retryable
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.ledger.table import Existing, row_in
from song_intake.work.existing_row import decision_for_existing

if TYPE_CHECKING:
    from song_intake.contract.song_request import SongRequest
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import Decision
    from song_intake.ledger.row import Row
    from song_intake.ledger.submitting import SubmissionStore


def give_up(store: SubmissionStore, request: SongRequest, message: Message, cause: str) -> Decision:
    """What the row decides, or REJECTED where nothing was created. Raises LedgerUnavailable."""
    return reject(store, request, message, given_up(message, cause))


def expired(request: SongRequest) -> Refused | None:
    """Why the request must not be created now: its not_after has passed. None: it may be created."""
    if request.not_after is None or time.time() <= request.not_after:
        return None
    return Refused(Reason.EXPIRED, "not_after passed before a song was created; use another request_id for a new one")


def until_expired(request: SongRequest, refusal: Retryable) -> Retryable:
    """The refusal; a request that expires before its wait ends returns when it expires, since that is reported then."""
    if request.not_after is None or refusal.retry_after is None:
        return refusal
    return replace(refusal, retry_after=min(refusal.retry_after, max(0, request.not_after - time.time()) + 1))


def reject(store: SubmissionStore, request: SongRequest, message: Message, letter: DeadLetter) -> Decision:
    """This letter, or what the row decides. Raises LedgerUnavailable."""
    result = store.record_given_up(
        request, message.delivery_id, letter.reason, letter.detail, message.first_message_id, message.trace
    )
    if isinstance(result, Existing):
        row = row_in(result)
        store.table.renew(row)
        if not _given_up_elsewhere(row, message):
            return decision_for_existing(row, request, message)
    return letter


def give_up_after_error(store: SubmissionStore, request: SongRequest | None, message: Message, cause: str) -> Decision:
    """The same after an unexpected exception, which the row itself may have caused. Raises LedgerUnavailable."""
    if request is None:
        return given_up(message, cause)
    if message.known_task_id is not None:
        return DeadLetter(Reason.TASK_NOT_RECORDED, cause, task_id=message.known_task_id)
    try:
        return give_up(store, request, message, cause)
    except (KeyError, TypeError, ValueError) as unreadable:
        detail = f"the row cannot be read ({type(unreadable).__name__}), so a song may exist; {cause}"
        return DeadLetter(Reason.OUTCOME_UNKNOWN, detail)


def given_up(message: Message, cause: str) -> DeadLetter:
    """The dead letter of a message that led to no decision."""
    return DeadLetter(Reason.RETRIES_EXHAUSTED, f"given up after {message.receive_count} receives: {cause}")


def _given_up_elsewhere(row: Row, message: Message) -> bool:
    """Whether another message of this request was given up in between: then this one has nothing to wait for either."""
    return row.status is Status.REJECTED and row.message_id != message.delivery_id and not row.is_closed
