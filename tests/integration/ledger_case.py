"""A request in some status of the ledger, and every change that can be tried on it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from song_intake.contract.song_request import SongRequest
from song_intake.domain.outcome import Refused, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.ledger.claim import Claim
from song_intake.ledger.row import Row
from song_intake.ledger.submitting import SubmissionStore
from song_intake.ledger.table import Written
from tests.integration.bench import Bench, new_id

RETRYABLE = Retryable(Reason.RATE_LIMITED, "rate limited", 429, "rate_limited")
REFUSED = Refused(Reason.REFUSED, "refused", 400, "validation_error")
UNKNOWN = Unknown("the call broke off")
GIVEN_UP = (Reason.RETRIES_EXHAUSTED, "given up")
ANOTHER = "another"
NO_WINDOW = 0.0


def request_for(request_id: str, sound: str = "slow folk", **fields: object) -> SongRequest:
    body = json.dumps({"request_id": request_id, "sound": sound, "metadata": {"customer": "c-1"}, **fields})
    return SongRequest.parse(body, "message-1")


@dataclass(frozen=True, slots=True)
class Case:
    """A request in some status, with the claim that brought it there."""

    bench: Bench
    ledger: SubmissionStore
    request: SongRequest
    claim: Claim

    @property
    def item(self) -> dict[str, Any]:
        return self.bench.item(self.request.request_id)

    @property
    def row(self) -> dict[str, Any]:
        return self.bench.row(self.request.request_id)

    @property
    def other_request(self) -> SongRequest:
        return request_for(self.request.request_id, sound="another song")

    def stored_row(self) -> Row:
        return Row.of(self.item)


def claimed(ledger: SubmissionStore, request: SongRequest, message_id: str = "message-1") -> Claim:
    claim = ledger.claim(request, message_id)
    assert isinstance(claim, Claim)
    return claim


def brought_to(bench: Bench, status: Status | None) -> Case:
    """A new request in this status. None: it has no row."""
    ledger = bench.ledger()
    request = request_for(new_id("request"))
    if status is None:
        return Case(bench, ledger, request, Claim(request, "no owner"))
    claim = claimed(ledger, request)
    match status:
        case Status.RETRYING:
            assert isinstance(ledger.record_retrying(claim, RETRYABLE), Written)
        case Status.REJECTED:
            assert isinstance(ledger.record_rejected(claim, REFUSED), Written)
        case Status.IN_DOUBT:
            assert isinstance(ledger.record_in_doubt(claim, UNKNOWN), Written)
        case Status.SUBMITTED | Status.SUCCEEDED | Status.FAILED:
            assert isinstance(ledger.record_task(request, "task-1"), Written)
            _end(bench, request, status)
    return Case(bench, ledger, request, claim)


def _end(bench: Bench, request: SongRequest, status: Status) -> None:
    """Writes the status as tracking will write it when the song has ended."""
    bench.dynamodb.update_item(
        TableName=bench.table,
        Key={"request_id": {"S": request.request_id}},
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": status}},
    )


Change = Callable[[Case], object]

CHANGES: dict[str, Change] = {
    "claim by the same message": lambda case: case.ledger.claim(case.request, "message-1"),
    "claim by another message": lambda case: case.ledger.claim(case.request, "message-2"),
    "claim of another song by the same message": lambda case: case.ledger.claim(case.other_request, "message-1"),
    "claim of another song by another message": lambda case: case.ledger.claim(case.other_request, "message-2"),
    "submitted": lambda case: case.ledger.record_task(case.request, "task-9"),
    "submitted, of another song": lambda case: case.ledger.record_task(case.other_request, "task-9"),
    "submitted, under its claim": lambda case: case.ledger.record_task(case.request, "task-9", case.claim),
    "submitted, under a stale claim": lambda case: case.ledger.record_task(
        case.request, "task-9", Claim(case.request, ANOTHER)
    ),
    "retrying": lambda case: case.ledger.record_retrying(case.claim, RETRYABLE),
    "rejected": lambda case: case.ledger.record_rejected(case.claim, REFUSED),
    "in doubt": lambda case: case.ledger.record_in_doubt(case.claim, UNKNOWN),
    "retrying, by a stale attempt": lambda case: case.ledger.record_retrying(Claim(case.request, ANOTHER), RETRYABLE),
    "rejected, by a stale attempt": lambda case: case.ledger.record_rejected(Claim(case.request, ANOTHER), REFUSED),
    "in doubt, by a stale attempt": lambda case: case.ledger.record_in_doubt(Claim(case.request, ANOTHER), UNKNOWN),
    "abandoned": lambda case: case.ledger._record_abandoned(case.stored_row(), NO_WINDOW),
    "given up": lambda case: case.ledger.record_given_up(case.request, "message-2", *GIVEN_UP),
    "given up, of another song": lambda case: case.ledger.record_given_up(case.other_request, "message-2", *GIVEN_UP),
}
