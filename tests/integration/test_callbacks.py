"""A workflow that waits for its song gets the final status, on the local Step Functions."""

from typing import Any

import pytest

from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.outgoing.callback import TaskCallback
from song_intake.outgoing.events import EventType, SongEvent
from song_intake.work.batch import Batch
from tests.integration import unreachable
from tests.integration.bench import Bench, plenty_of_time, record_of, song
from tests.integration.decisions import TITLE
from tests.integration.following import check_batch, look_at_all
from tests.integration.handling import failed
from tests.integration.workflow import Workflow
from tests.local.vendor import answer as vendor_answer
from tests.local.vendor import behaviour, story

REFUSED = behaviour.refuses(vendor_answer.LYRICS_REFUSED)


def stays(batch: Batch, request_id: str, message_id: str = "message-1", **fields: object) -> bool:
    """Whether the message is still on its queue after one delivery."""
    record = record_of(song(TITLE, request_id, **fields), message_id=message_id)
    return bool(failed(batch.handle([record], plenty_of_time)))


def events_of(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    return [(event["detail-type"], event["detail"]) for event in bench.bus.events()]


def test_a_workflow_gets_the_song_that_it_waits_for(bench: Bench, batch: Batch, request_id: str) -> None:
    workflow = Workflow.waiting(bench)
    stays(batch, request_id, task_token=workflow.task_token)
    assert workflow.is_waiting()
    assert look_at_all(bench, check_batch(bench)) == set()
    _, ended = events_of(bench)
    assert workflow.output() == ended[1]
    assert ended[1]["clips"]
    assert workflow.task_token not in bench.log.getvalue()


def test_a_workflow_fails_when_its_song_failed(bench: Bench, batch: Batch, request_id: str) -> None:
    workflow = Workflow.waiting(bench)
    bench.vendor.plan_task(TITLE, story.fails(refunded=True))
    stays(batch, request_id, task_token=workflow.task_token)
    look_at_all(bench, check_batch(bench))
    error, cause = workflow.error()
    assert (error, cause["refunded"], cause["request_id"]) == ("FAILED_BY_VENDOR", True, request_id)


def test_a_workflow_fails_when_its_request_was_rejected(bench: Bench, batch: Batch, request_id: str) -> None:
    workflow = Workflow.waiting(bench)
    bench.vendor.plan(TITLE, REFUSED)
    assert not stays(batch, request_id, task_token=workflow.task_token)
    error, cause = workflow.error()
    assert (error, cause["status"], cause["vendor_code"]) == ("REFUSED", "REJECTED", "forbidden")


def test_a_workflow_whose_song_is_in_doubt_keeps_waiting(bench: Bench, batch: Batch, request_id: str) -> None:
    workflow = Workflow.waiting(bench)
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    assert not stays(batch, request_id, task_token=workflow.task_token)
    assert workflow.is_waiting()


@pytest.mark.parametrize(
    ("planned", "kinds"),
    [(REFUSED, ["Song Rejected"]), (behaviour.usual(), ["Song Submitted", "Song Succeeded"])],
    ids=["rejected", "succeeded"],
)
def test_an_expired_task_token_is_ignored(
    bench: Bench, batch: Batch, request_id: str, planned: behaviour.Behaviour, kinds: list[str]
) -> None:
    bench.vendor.plan(TITLE, planned)
    assert not stays(batch, request_id, task_token="expired-token")
    assert look_at_all(bench, check_batch(bench)) == set()
    assert [kind for kind, _ in events_of(bench)] == kinds


def test_the_callback_returns_whether_a_task_was_waiting(bench: Bench) -> None:
    callback = TaskCallback(bench.cloud.client("stepfunctions"))
    event = SongEvent(EventType.REJECTED, "r-1", "m-1", reason=Reason.REFUSED)
    assert not callback.succeeded("expired-token", event)
    assert not callback.failed("expired-token", event)
    assert callback.failed(Workflow.waiting(bench).task_token, event)
    with pytest.raises(SideEffectFailed, match=r"^EndpointConnectionError$"):
        TaskCallback(unreachable.step_functions()).failed("expired-token", event)


def test_a_message_stays_while_its_workflow_cannot_be_notified(bench: Bench, batch: Batch, request_id: str) -> None:
    bench.vendor.plan(TITLE, REFUSED)
    without_callback = bench.request_work(notifier=bench.notifier(step_functions=unreachable.step_functions()))
    assert stays(bench.batch_of(without_callback), request_id, task_token="a-token")
    assert bench.lines()[-1]["reason"] == "CALLBACK_UNAVAILABLE"
    assert not stays(batch, request_id, task_token="a-token")
