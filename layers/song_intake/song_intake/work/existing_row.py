"""Decides about a message whose request already has a row."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from song_intake.domain.decision import DeadLetter, Decision, Done, RequestContext, RetryIn
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.ledger.table import row_in

if TYPE_CHECKING:
    from song_intake.contract.song_request import SongRequest
    from song_intake.contract.sqs_message import Message
    from song_intake.ledger.row import Row
    from song_intake.ledger.submitting import SubmissionStore
    from song_intake.ledger.table import Existing, Written


def decide_by_row(
    store: SubmissionStore, result: Written | Existing, request: SongRequest, message: Message
) -> Decision:
    """The row decides, and outlives this message. Raises LedgerUnavailable."""
    row = row_in(result)
    store.table.renew(row)
    return decision_for_existing(row, request, message)


def decision_for_existing(row: Row, request: SongRequest, message: Message) -> Decision:
    """The decision for a row. A claim in it is valid: the ledger has set a claim with an expired lease to IN_DOUBT."""
    if row.is_closed:
        return _letter(row, Reason.REFUSED)
    if row.fingerprint != request.fingerprint and row.status is not Status.REJECTED:
        detail = "another request was sent under this request_id before, and its song may exist"
        return DeadLetter(Reason.REQUEST_ID_REUSED, detail)
    match row.status:
        case Status.SUBMITTED:
            return _duplicate(row, request)
        case Status.SUCCEEDED | Status.FAILED:
            return replace(_duplicate(row, request), ended=row.status)
        case Status.IN_DOUBT:
            return decision_for_doubt(row)
        case Status.REJECTED if row.message_id == message.delivery_id:
            return _letter(row, Reason.REFUSED)
        case Status.SUBMITTING:
            wait = max(row.lease_until - time.time(), 0) + 1
            return RetryIn(wait, Reason.CLAIM_HELD, "another delivery of this request is being submitted")
        case Status.RETRYING | Status.REJECTED:
            # The row changed between two writes of this function. It may be claimable now, so retry at once.
            return RetryIn(0, Reason.CLAIM_HELD, "another delivery of this request was being submitted")
        case _:
            assert_never(row.status)


def _duplicate(row: Row, request: SongRequest) -> Done:
    origin = None if row.submission_unpublished else RequestContext(row.first_message_id, row.metadata, row.trace)
    has_token = request.task_token in row.task_tokens
    return Done(row.task_id, duplicate=True, has_token=has_token, trace=row.trace, origin=origin)


def decision_for_doubt(row: Row) -> Decision:
    """Retry while a webhook may still settle the doubt; after that, a dead letter."""
    wait = row.doubt_until - time.time()
    if wait > 0:
        return RetryIn(wait + 1, Reason.AWAITING_WEBHOOK, "waiting for the vendor's webhook to report the outcome")
    return _letter(row, Reason.OUTCOME_UNKNOWN)


def _letter(row: Row, otherwise: Reason) -> DeadLetter:
    """The dead letter of this row's message. It may have been sent before."""
    reason = Reason(row.reason) if row.reason else otherwise
    return DeadLetter(reason, row.detail or "", row.http_status, row.vendor_code)
