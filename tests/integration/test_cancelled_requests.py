"""A request that an operator cancelled is never created, however its messages come; on real parts."""

import json
from typing import Any, cast

import pytest

from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.ledger.following import TrackingStore
from song_intake.ledger.resolving import ResolutionStore
from song_intake.work.batch import Batch
from song_intake.work.resolution import DecisionRefused, Resolution
from song_intake.work.submission import Submission
from tests.integration import unreachable
from tests.integration.bench import MAX_RECEIVE_COUNT, Bench, song
from tests.integration.conftest import TimePasses
from tests.integration.decisions import TITLE, decide, letter_in, record, redriven
from tests.integration.handling import handle_all
from tests.integration.ledger_case import CHANGES, Case, brought_to, claimed
from tests.integration.resolving import BY, NOT_CREATED_AFTER, not_created, resolution_of
from tests.integration.workflow import Workflow
from tests.local.vendor import behaviour

S = Status
CLAIMED = (S.SUBMITTING, S.IN_DOUBT, S.SUBMITTED, S.SUCCEEDED, S.FAILED)


@pytest.fixture
def resolution(bench: Bench) -> Resolution:
    return resolution_of(bench)


def cancel(request_id: str, by: str = BY) -> dict[str, object]:
    return {"request_id": request_id, "cancel": True, "by": by}


def after(answer: dict[str, object]) -> dict[str, Any]:
    return cast("dict[str, Any]", answer["after"])


def cancelled(bench: Bench, start: Status | None) -> Case:
    case = brought_to(bench, start)
    resolution_of(bench).handle(cancel(case.request.request_id))
    return case


@pytest.mark.parametrize("start", [None, S.RETRYING, S.REJECTED])
def test_a_request_without_a_claim_is_cancelled_by_its_operator(
    bench: Bench, resolution: Resolution, start: Status | None
) -> None:
    case = brought_to(bench, start)
    answer = resolution.handle(cancel(case.request.request_id))
    assert (after(answer)["status"], after(answer)["reason"], answer["is_cancelled"]) == ("REJECTED", "CANCELLED", True)
    before = cast("dict[str, Any] | None", answer["before"])
    assert (before and before["status"]) == start
    assert json.dumps(answer), "the function can return it"
    row = case.row
    assert (row["resolved_by"], "resolved_at" in row, "expires_at" in row) == (BY, True, True)
    assert not {"http_status", "vendor_code", "lease_until"} & row.keys()
    (event,) = bench.bus.details()
    assert (event["status"], event["reason"], event["by"]) == ("REJECTED", "CANCELLED", BY)
    assert event["metadata"] == ({} if start is None else {"customer": "c-1"})


@pytest.mark.parametrize("start", CLAIMED)
def test_a_request_that_was_claimed_cannot_be_cancelled(bench: Bench, resolution: Resolution, start: Status) -> None:
    case = brought_to(bench, start)
    before = case.item
    with pytest.raises(DecisionRefused, match=f"^the request is {start}: a song may exist"):
        resolution.handle(cancel(case.request.request_id))
    assert (case.item, bench.bus.events()) == (before, [])


def test_cancelling_twice_confirms_it_and_changes_nothing(bench: Bench, resolution: Resolution) -> None:
    case = cancelled(bench, S.RETRYING)
    before = case.item
    answer = resolution.handle(cancel(case.request.request_id, by="another operator"))
    assert (answer["is_cancelled"], answer["before"]) == (True, answer["after"])
    assert case.item == before
    assert len(bench.bus.details()) == 1


def test_a_request_that_was_listed_as_not_created_can_be_cancelled_and_is_published_again(
    bench: Bench, resolution: Resolution, time_passes: TimePasses
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    time_passes(NOT_CREATED_AFTER + 1)
    resolution.handle(not_created(case))
    resolution.handle(cancel(case.request.request_id))
    events = bench.bus.details()
    assert [event["reason"] for event in events] == ["NOT_CREATED", "CANCELLED"]
    assert len({event["id"] for event in events}) == 2


def test_a_request_that_changed_since_it_was_listed_is_not_cancelled(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.RETRYING)
    with pytest.raises(DecisionRefused, match="changed after it was listed"):
        resolution.handle({**cancel(case.request.request_id), "changed_at": 1.0})
    assert case.row["status"] == "RETRYING"


def test_a_claim_that_comes_before_the_cancel_wins(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.RETRYING)
    claimed(case.ledger, case.request)
    result = ResolutionStore(bench.ledger_table()).record_cancelled(case.request.request_id, BY, "too late")
    assert result.row is not None
    assert result.row.status is S.SUBMITTING


@pytest.mark.parametrize("start", [None, S.RETRYING, S.REJECTED])
@pytest.mark.parametrize("change", [name for name in CHANGES if not name.startswith("submitted")])
def test_nothing_but_a_known_task_changes_a_cancelled_row(bench: Bench, start: Status | None, change: str) -> None:
    case = cancelled(bench, start)
    before = case.item
    CHANGES[change](case)
    assert case.item == before


@pytest.mark.parametrize("start", [None, S.RETRYING])
def test_a_song_that_exists_nevertheless_is_recorded(bench: Bench, start: Status | None) -> None:
    """A letter has its task, or its webhook comes, and its row was lost in between."""
    by_letter, by_webhook = cancelled(bench, start), cancelled(bench, start)
    by_letter.ledger.record_task(by_letter.request, "task-1")
    TrackingStore(bench.ledger_table()).record_webhook_task(by_webhook.request.request_id, "task-1", "hint-1")
    for case in (by_letter, by_webhook):
        assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", "task-1")


@pytest.mark.parametrize("tried_before", [False, True])
def test_every_message_of_a_cancelled_request_is_a_dead_letter(
    bench: Bench, submission: Submission, resolution: Resolution, request_id: str, *, tried_before: bool
) -> None:
    if tried_before:
        bench.vendor.plan(TITLE, behaviour.rate_limited())
        decide(submission, record(request_id))
    resolution.handle(cancel(request_id))
    before, asked = bench.item(request_id), len(bench.vendor.requests)
    letter = letter_in(decide(submission, record(request_id)))
    later = [
        record(request_id),
        record(request_id, receives=MAX_RECEIVE_COUNT),
        redriven(record(request_id), letter, request_id),
        record(request_id, "message-2"),
        record(request_id, "message-3", sound="another song"),
        record(request_id, "message-4", not_after=1),
        record(request_id, "message-5", receives=MAX_RECEIVE_COUNT, not_after=1),
    ]
    assert letter.reason is Reason.CANCELLED
    assert [letter_in(decide(submission, one)) for one in later] == [letter] * len(later)
    assert (bench.item(request_id), len(bench.vendor.requests)) == (before, asked)


def test_a_message_that_waits_on_its_queue_ends_with_its_letter(
    bench: Bench, batch: Batch, resolution: Resolution, request_id: str
) -> None:
    message_id = bench.send(song(TITLE, request_id, metadata={"customer": "c-1"}))
    resolution.handle(cancel(request_id))
    assert handle_all(bench, batch) == set()
    (letter,) = bench.letters()
    assert (letter.attributes["reason"], bench.vendor.requests) == ("CANCELLED", ())
    by_operator, by_message = bench.bus.details()
    assert ("message_id" in by_operator, by_message["message_id"]) == (False, message_id)
    assert (by_message["reason"], by_message["metadata"]) == ("CANCELLED", {"customer": "c-1"})
    assert by_operator["id"] != by_message["id"]


def test_the_tasks_that_wait_for_a_cancelled_request_fail(
    bench: Bench, submission: Submission, resolution: Resolution, request_id: str
) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    workflow = Workflow.waiting(bench)
    decide(submission, record(request_id, task_token=workflow.task_token))
    resolution.handle(cancel(request_id))
    error, cause = workflow.error()
    assert (error, cause["request_id"], cause["by"]) == ("CANCELLED", request_id, BY)
    assert "task_tokens" not in bench.row(request_id)


def test_a_cancel_whose_event_failed_holds_and_can_be_repeated(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.RETRYING)
    event = cancel(case.request.request_id)
    with pytest.raises(SideEffectFailed):
        resolution_of(bench, notifier=bench.notifier(events=unreachable.events())).handle(event)
    assert (case.row["reason"], bench.bus.events()) == ("CANCELLED", [])
    resolution.handle(event)
    assert [event["reason"] for event in bench.bus.details()] == ["CANCELLED"]


@pytest.mark.parametrize("decide_otherwise", [{"not_created": True}, {"task_id": "task-9"}])
def test_another_decision_on_a_cancelled_request_is_refused(
    bench: Bench, resolution: Resolution, decide_otherwise: dict[str, object]
) -> None:
    case = cancelled(bench, None)
    with pytest.raises(DecisionRefused, match="the request is REJECTED: only one in doubt"):
        resolution.handle({"request_id": case.request.request_id, **decide_otherwise})
