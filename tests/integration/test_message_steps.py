"""The task token of a message, on each row that it may meet; and messages that have no step."""

from dataclasses import replace

import pytest

from song_intake.contract.song_request import SongRequest
from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import Decision, Done, RetryIn, SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.ledger.task_tokens import MOST_TASK_TOKENS, TaskTokens
from song_intake.outgoing.events import SongEvent
from song_intake.outgoing.notifier import Notifier
from song_intake.outgoing.telemetry import RecordReport
from song_intake.work.message_steps import MessageSteps
from tests.integration import unreachable
from tests.integration.bench import Bench, record_of
from tests.integration.ledger_case import brought_to

TOKEN = "token-3"


def with_token(request: SongRequest, decision: Decision) -> RecordReport:
    waiting = replace(request, task_token=TOKEN)
    return RecordReport(Message.of(record_of("{}")), decision, request.request_id, request=waiting)


@pytest.fixture
def steps(bench: Bench) -> MessageSteps:
    return bench.request_work().steps


def test_nothing_follows_a_message_that_stays(bench: Bench, steps: MessageSteps) -> None:
    request = brought_to(bench, None).request
    assert steps.after(with_token(request, RetryIn(1, Reason.PACED, "waits")), set()) == {}


@pytest.mark.parametrize(
    ("status", "reason"),
    [(None, Reason.LEDGER_UNAVAILABLE), (Status.RETRYING, Reason.CLAIM_HELD)],
    ids=["the row is gone", "the row changed"],
)
def test_a_token_that_cannot_be_kept_now_is_tried_again(
    bench: Bench, steps: MessageSteps, status: Status | None, reason: Reason
) -> None:
    report = with_token(brought_to(bench, status).request, Done("task-1", duplicate=True))
    with pytest.raises(SideEffectFailed) as failed:
        steps.after(report, set())["token"]()
    assert failed.value.reason is reason


def test_a_token_waits_for_a_ledger_that_does_not_answer(bench: Bench, steps: MessageSteps) -> None:
    without = replace(steps, task_tokens=TaskTokens(bench.ledger_table(unreachable.dynamodb())))
    report = with_token(brought_to(bench, Status.SUBMITTED).request, Done("task-1", duplicate=True))
    with pytest.raises(SideEffectFailed) as failed:
        without.after(report, set())["token"]()
    assert failed.value.reason is Reason.LEDGER_UNAVAILABLE


def test_a_token_of_a_full_row_is_answered_with_the_others(bench: Bench, steps: MessageSteps) -> None:
    case = brought_to(bench, Status.SUBMITTED)
    for number in range(MOST_TASK_TOKENS):
        steps.task_tokens.add(case.request.request_id, f"token-{number}")
    steps.after(with_token(case.request, Done("task-1", duplicate=True)), set())["token"]()
    assert len(case.stored_row().task_tokens) == MOST_TASK_TOKENS


def test_a_task_that_is_one_too_many_is_failed_with_the_reason_and_its_own_message(
    bench: Bench, steps: MessageSteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = brought_to(bench, Status.SUBMITTED)
    for number in range(10, 10 + MOST_TASK_TOKENS):
        steps.task_tokens.add(case.request.request_id, f"token-{number}")
    report = with_token(case.request, Done("task-1", duplicate=True))
    failed: list[SongEvent] = []
    monkeypatch.setattr(Notifier, "fail_task", lambda _, token, event: failed.append(event) if token == TOKEN else None)
    steps.after(report, set())["token"]()
    (event,) = failed
    assert event.as_detail() == {
        **event.as_detail(),
        "request_id": case.request.request_id,
        "status": "MESSAGE_REJECTED",
        "reason": "TOO_MANY_TASK_TOKENS",
        "detail": f"{MOST_TASK_TOKENS} other tasks wait for this song already",
        "message_id": report.message.message_id,
    }
