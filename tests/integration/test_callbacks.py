"""A workflow that waits for its song gets the final status, on the local Step Functions."""

import json
from typing import Any

import pytest

from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.ledger.table import Written
from song_intake.ledger.task_tokens import MOST_TASK_TOKENS, TaskTokens
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
    callback = TaskCallback(lambda: bench.cloud.client("stepfunctions"))
    event = SongEvent(EventType.REJECTED, "r-1", "m-1", reason=Reason.REFUSED)
    assert not callback.succeeded("expired-token", event)
    assert not callback.failed("expired-token", event)
    assert callback.failed(Workflow.waiting(bench).task_token, event)
    with pytest.raises(SideEffectFailed, match=r"^EndpointConnectionError$"):
        TaskCallback(unreachable.step_functions).failed("expired-token", event)


def test_a_message_stays_while_its_workflow_cannot_be_notified(bench: Bench, batch: Batch, request_id: str) -> None:
    bench.vendor.plan(TITLE, REFUSED)
    without_callback = bench.request_work(notifier=bench.notifier(step_functions=unreachable.step_functions()))
    assert stays(bench.batch_of(without_callback), request_id, task_token="a-token")
    assert bench.lines()[-1]["reason"] == "CALLBACK_UNAVAILABLE"
    assert not stays(batch, request_id, task_token="a-token")


def test_a_task_whose_token_comes_after_the_end_is_answered_at_once(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    first, later = Workflow.waiting(bench), Workflow.waiting(bench)
    assert not stays(batch, request_id, task_token=first.task_token)
    look_at_all(bench, check_batch(bench))
    assert "task_tokens" not in bench.row(request_id), "answered, so it no longer waits"
    assert not stays(batch, request_id, "message-2", task_token=later.task_token)
    assert later.output() == first.output()


def test_every_task_that_waits_for_a_song_is_answered(bench: Bench, batch: Batch, request_id: str) -> None:
    first, second = Workflow.waiting(bench), Workflow.waiting(bench)
    assert not stays(batch, request_id, task_token=first.task_token)
    assert not stays(batch, request_id, "message-2", task_token=second.task_token)
    assert set(bench.row(request_id)["task_tokens"]) == {first.task_token, second.task_token}
    look_at_all(bench, check_batch(bench))
    assert first.output() == second.output()


def test_the_task_of_an_invalid_message_fails_and_the_song_of_its_id_goes_on(
    bench: Bench, batch: Batch, request_id: str
) -> None:
    workflow, of_the_invalid = Workflow.waiting(bench), Workflow.waiting(bench)
    assert not stays(batch, request_id, task_token=workflow.task_token)
    only_its_id = json.dumps({"request_id": request_id, "task_token": of_the_invalid.task_token})
    assert failed(batch.handle([record_of(only_its_id, message_id="message-2")], plenty_of_time)) == set()
    error, cause = of_the_invalid.error()
    assert (error, cause["status"], cause["message_id"]) == ("INVALID_REQUEST", "MESSAGE_REJECTED", "message-2")
    assert workflow.is_waiting()
    assert [kind for kind, _ in events_of(bench)] == ["Song Submitted", "Message Rejected"]


def test_a_full_set_of_tokens_takes_no_other_one(bench: Bench, batch: Batch, request_id: str) -> None:
    stays(batch, request_id, task_token="token-0")
    tokens = TaskTokens(bench.ledger_table())
    added = [tokens.add(request_id, f"token-{number}") for number in range(1, MOST_TASK_TOKENS + 1)]
    assert [isinstance(one, Written) for one in added] == [True] * (MOST_TASK_TOKENS - 1) + [False]
    tokens.remove(request_id, "token-0")
    assert isinstance(tokens.add(request_id, "token-10"), Written)
