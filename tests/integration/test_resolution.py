"""An operator's decision on a request in doubt: what is accepted, and what follows, on real parts."""

import json
import time
from datetime import datetime
from typing import Any

import pytest

from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.status import Status
from song_intake.work.batch import Batch
from song_intake.work.resolution import DecisionRefused, Resolution
from tests.integration import unreachable
from tests.integration.bench import LEASE, Bench, song
from tests.integration.conftest import TimePasses
from tests.integration.decisions import TITLE
from tests.integration.following import check_batch, look_at_all
from tests.integration.handling import handle_all
from tests.integration.ledger_case import brought_to, claimed
from tests.integration.resolving import BY, NOT_CREATED_AFTER, TASK, checked, not_created, resolution_of, task_given
from tests.integration.workflow import Workflow
from tests.local.vendor import behaviour

S = Status


@pytest.fixture
def resolution(bench: Bench) -> Resolution:
    return resolution_of(bench)


def after(answer: dict[str, object]) -> dict[str, Any]:
    row = answer["after"]
    assert isinstance(row, dict)
    return row


def test_a_given_task_is_recorded_checked_at_once_and_returned_with_before_and_after(
    bench: Bench, resolution: Resolution
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    answer = resolution.handle(task_given(case))
    before = answer["before"]
    assert isinstance(before, dict)
    assert (before["status"], before["reason"], before["metadata"]) == (
        "IN_DOUBT",
        "OUTCOME_UNKNOWN",
        {"customer": "c-1"},
    )
    assert (after(answer)["status"], after(answer)["task_id"]) == ("SUBMITTED", TASK)
    assert checked(bench) == [TASK]
    assert not {"doubt", "doubt_until", "reason", "detail", "lease_until"} & case.row.keys()
    assert json.dumps(answer), "the function can return it"


def test_the_operator_and_the_time_are_kept_on_the_row(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    resolution.handle(task_given(case))
    row = case.row
    assert row["resolved_by"] == BY
    assert abs(datetime.fromisoformat(row["resolved_at"]).timestamp() - time.time()) < 60


def test_a_decision_without_a_name_is_recorded_as_unnamed(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    resolution.handle({"request_id": case.request.request_id, "task_id": TASK})
    assert case.row["resolved_by"] == "unnamed"


def test_a_given_task_is_tracked_to_its_end(bench: Bench, resolution: Resolution, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    bench.send(song(TITLE, request_id))
    assert handle_all(bench, bench.batch()) == set()
    (made,) = bench.vendor.creates
    resolution.handle({"request_id": request_id, "task_id": made.task_id, "by": BY})
    assert look_at_all(bench, check_batch(bench)) == set()
    assert bench.row(request_id)["status"] == "SUCCEEDED"
    in_doubt, submitted, succeeded = bench.bus.details()
    assert [event["status"] for event in (in_doubt, submitted, succeeded)] == ["IN_DOUBT", "SUBMITTED", "SUCCEEDED"]
    assert ("by" in in_doubt, submitted["by"], "by" in succeeded) == (False, BY, False)
    assert in_doubt["message_id"] == submitted["message_id"] == succeeded["message_id"]


def test_not_created_is_accepted_only_after_the_margin(
    bench: Bench, resolution: Resolution, time_passes: TimePasses
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    time_passes(NOT_CREATED_AFTER - 2)
    with pytest.raises(DecisionRefused, match=r"may still be processing .* retry in [12] s$"):
        resolution.handle(not_created(case))
    assert case.row["status"] == "IN_DOUBT"
    time_passes(2.1)
    assert after(resolution.handle(not_created(case)))["status"] == "REJECTED"
    row = case.row
    assert (row["reason"], row["resolved_by"]) == ("NOT_CREATED", BY)
    assert not {"doubt", "doubt_until", "lease_until"} & row.keys()
    (event,) = bench.bus.details()
    assert (event["status"], event["reason"], event["metadata"]) == ("REJECTED", "NOT_CREATED", {"customer": "c-1"})


def test_a_redrive_after_not_created_creates_once(
    bench: Bench, batch: Batch, resolution: Resolution, request_id: str, time_passes: TimePasses
) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=False))
    bench.send(song(TITLE, request_id))
    handle_all(bench, batch)
    bench.redrive()
    handle_all(bench, batch)
    assert len(bench.vendor.requests) == 1, "before the decision, a redrive creates nothing"

    time_passes(NOT_CREATED_AFTER + 1)
    resolution.handle({"request_id": request_id, "not_created": True})
    assert bench.redrive() == 1
    assert handle_all(bench, batch) == set()
    bench.send(song(TITLE, request_id))
    assert handle_all(bench, batch) == set()
    assert (bench.row(request_id)["status"], len(bench.vendor.creates)) == ("SUBMITTED", 1)
    assert bench.letters() == []


def test_a_redrive_after_a_task_was_named_removes_the_letter_and_creates_nothing(
    bench: Bench, batch: Batch, resolution: Resolution, request_id: str
) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    bench.send(song(TITLE, request_id))
    handle_all(bench, batch)
    (created,) = bench.vendor.creates
    resolution.handle({"request_id": request_id, "task_id": created.task_id})
    assert bench.redrive() == 1
    assert handle_all(bench, batch) == set()
    assert (bench.letters(), len(bench.vendor.creates)) == ([], 1)


def test_the_first_message_itself_may_claim_after_not_created(
    bench: Bench, resolution: Resolution, time_passes: TimePasses
) -> None:
    """Otherwise its redelivery would count as that of a rejected message, and only repeat the dead letter."""
    case = brought_to(bench, S.IN_DOUBT)
    time_passes(NOT_CREATED_AFTER + 1)
    resolution.handle(not_created(case))
    claimed(case.ledger, case.request, "message-1")


def test_a_crashed_functions_claim_can_be_resolved_after_its_lease(
    bench: Bench, resolution: Resolution, time_passes: TimePasses
) -> None:
    given, denied = brought_to(bench, S.SUBMITTING), brought_to(bench, S.SUBMITTING)
    for decision in (task_given(given), not_created(denied)):
        with pytest.raises(DecisionRefused, match=r"still be processing this request; retry in \d+ s$"):
            resolution.handle(decision)
    time_passes(LEASE + 1)
    assert after(resolution.handle(task_given(given)))["status"] == "SUBMITTED"
    with pytest.raises(DecisionRefused, match="the music API may still be processing"):
        resolution.handle(not_created(denied))
    time_passes(NOT_CREATED_AFTER - LEASE)
    assert after(resolution.handle(not_created(denied)))["status"] == "REJECTED"


def test_a_repeated_task_is_checked_again_and_changes_nothing(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    resolution.handle(task_given(case))
    before = case.item
    answer = resolution.handle(task_given(case))
    assert answer["before"] == answer["after"]
    assert case.item == before
    assert checked(bench) == [TASK, TASK]


def test_a_repeated_not_created_repeats_no_event(bench: Bench, resolution: Resolution, time_passes: TimePasses) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    time_passes(NOT_CREATED_AFTER + 1)
    resolution.handle(not_created(case))
    before = case.item
    resolution.handle(not_created(case))
    assert case.item == before
    (event,) = bench.bus.details()
    assert (event["by"], event["message_id"]) == (BY, "message-1")


def test_a_repeated_not_created_makes_up_for_an_event_that_failed(
    bench: Bench, resolution: Resolution, time_passes: TimePasses
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    time_passes(NOT_CREATED_AFTER + 1)
    with pytest.raises(SideEffectFailed):
        resolution_of(bench, notifier=bench.notifier(events=unreachable.events())).handle(not_created(case))
    resolution.handle(not_created(case))
    assert [event["status"] for event in bench.bus.details()] == ["REJECTED"]


def test_a_workflow_fails_when_its_song_was_not_created(
    bench: Bench, resolution: Resolution, request_id: str, time_passes: TimePasses
) -> None:
    workflow = Workflow.waiting(bench)
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=False))
    bench.send(song(TITLE, request_id, task_token=workflow.task_token))
    handle_all(bench, bench.batch())
    assert workflow.is_waiting()
    time_passes(NOT_CREATED_AFTER + 1)
    resolution.handle({"request_id": request_id, "not_created": True})
    error, cause = workflow.error()
    assert (error, cause["request_id"]) == ("NOT_CREATED", request_id)
