"""Records a known task_id: a paid song must not get lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from song_intake.domain.decision import DeadLetter, Decision, Done
from song_intake.domain.reason import Reason
from song_intake.ledger.table import LedgerUnavailable, Written, row_in
from song_intake.work.existing_row import decide_by_row

if TYPE_CHECKING:
    from song_intake.contract.song_request import SongRequest
    from song_intake.contract.sqs_message import Message
    from song_intake.ledger.claim import Claim
    from song_intake.ledger.submitting import SubmissionStore


def record_task(
    store: SubmissionStore, request: SongRequest, task_id: str, message: Message, claim: Claim | None = None
) -> Decision:
    """Record a known task_id. If that fails, a dead letter has the id, and its redrive records it.

    Raises LedgerUnavailable only where another task is on the row, and this one was added to it.
    """
    try:
        result = store.record_task(request, task_id, claim)
        if isinstance(result, Written):
            if claim is not None:
                return Done(task_id, has_token=claim.has_token, trace=claim.trace)
            return Done(task_id, trace=result.row.trace if result.row else None)
        row = row_in(result)
        if (row.task_id, row.fingerprint) == (task_id, request.fingerprint):
            return Done(task_id, has_token=request.task_token in row.task_tokens, trace=row.trace)
        store.table.add_other_task(request.request_id, task_id)
    except Exception as failure:  # noqa: BLE001 - no exception may lose a known task_id
        cause = str(failure) if isinstance(failure, LedgerUnavailable) else type(failure).__name__
        detail = f"the song was created, but its task_id could not be recorded ({cause}); a redrive records it"
        return DeadLetter(Reason.TASK_NOT_RECORDED, detail, task_id=task_id)
    return decide_by_row(store, result, request, message)
