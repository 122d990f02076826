"""The log lines and metrics of a function, read as the text that CloudWatch gets."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics

from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import DeadLetter, Decision, Done, RetryIn, SendAnew
from song_intake.domain.outcome import Refused
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.outgoing.telemetry import RecordReport, Telemetry, frames_of

LYRICS = "canary lyrics"
MESSAGE = Message("message-1", "receipt-1", f'{{"lyrics": "{LYRICS}"}}', 3, 0.0, {})


@dataclass(frozen=True, slots=True)
class LogOutput:
    """What the function writes to its log: the logger's lines, and the metrics, which are printed."""

    stream: io.StringIO
    capsys: pytest.CaptureFixture[str]

    def text(self) -> str:
        return self.stream.getvalue() + self.capsys.readouterr().out

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]

    def line(self) -> dict[str, Any]:
        (only,) = self.lines()
        return only


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> LogOutput:
    return LogOutput(io.StringIO(), capsys)


@pytest.fixture
def telemetry(request: pytest.FixtureRequest, output: LogOutput) -> Telemetry:
    # Powertools keeps one logger and stream per service name, so each test uses a name of its own.
    service = request.node.name
    return Telemetry(Logger(service=service, stream=output.stream), Metrics(namespace="SongIntake", service=service))


RETRY = RetryIn(12.34, Reason.RATE_LIMITED, "rate limited")
REFUSED = DeadLetter(Reason.REFUSED, "refused", 400, "validation_error")
UNRECORDED = DeadLetter(Reason.TASK_NOT_RECORDED, "not recorded", task_id="task-1")


@pytest.mark.parametrize(
    ("decision", "level", "keys"),
    [
        pytest.param(Done("task-1"), "INFO", {"action": "submitted", "task_id": "task-1"}, id="submitted"),
        pytest.param(
            Done("task-1", duplicate=True), "INFO", {"action": "duplicate", "task_id": "task-1"}, id="duplicate"
        ),
        pytest.param(
            Done("task-1", ended=Status.FAILED), "INFO", {"action": "failed", "task_id": "task-1"}, id="ended"
        ),
        pytest.param(
            Done("task-1", duplicate=True, ended=Status.FAILED),
            "INFO",
            {"action": "duplicate", "task_id": "task-1"},
            id="ended before",
        ),
        pytest.param(
            Done("task-1", passed_on=True), "INFO", {"action": "not_yet", "task_id": "task-1"}, id="passed on"
        ),
        pytest.param(
            Done("task-1", passed_on=True, reason=Reason.UNKNOWN_STATUS),
            "INFO",
            {"action": "not_yet", "task_id": "task-1", "reason": "UNKNOWN_STATUS"},
            id="passed for a reason",
        ),
        pytest.param(
            RETRY,
            "WARNING",
            {"action": "retry", "reason": "RATE_LIMITED", "detail": "rate limited", "retry_in_seconds": 12.3},
            id="retry",
        ),
        pytest.param(
            REFUSED,
            "WARNING",
            {
                "action": "dead_letter",
                "reason": "REFUSED",
                "detail": "refused",
                "http_status": 400,
                "vendor_code": "validation_error",
            },
            id="dead letter",
        ),
        pytest.param(
            UNRECORDED,
            "ERROR",
            {
                "action": "dead_letter",
                "reason": "TASK_NOT_RECORDED",
                "detail": "not recorded",
                "task_id": "task-1",
            },
            id="not recorded",
        ),
    ],
)
def test_a_record_is_one_line_with_all_its_details(
    telemetry: Telemetry, output: LogOutput, decision: Decision, level: str, keys: dict[str, object]
) -> None:
    telemetry.log(RecordReport(MESSAGE, decision, "request-1", seconds=1.2345))
    line = output.line()
    of_every_record = {
        "level": level,
        "request_id": "request-1",
        "message_id": "message-1",
        "receive_count": 3,
        "milliseconds": 1234,
    }
    of_powertools = {"location", "message", "timestamp", "service"}
    assert {name: value for name, value in line.items() if name not in of_powertools} == of_every_record | keys


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize(
    "make", [lambda reason: RetryIn(1, reason, ""), lambda reason: DeadLetter(reason, "")], ids=["retry", "dead letter"]
)
def test_a_line_is_an_error_where_an_operator_has_to_act_on_the_request(
    telemetry: Telemetry, output: LogOutput, reason: Reason, make: Callable[[Reason], Decision]
) -> None:
    for_operators = {Reason.OUTCOME_UNKNOWN, Reason.TASK_NOT_RECORDED, Reason.UNFORESEEN}
    telemetry.log(RecordReport(MESSAGE, make(reason), "request-1"))
    line = output.line()
    usual = "INFO" if reason is Reason.NOT_FINISHED else "WARNING"
    assert line["level"] == ("ERROR" if reason in for_operators else usual)


def test_a_task_whose_dead_letter_could_not_be_sent_is_named_in_an_error(
    telemetry: Telemetry, output: LogOutput
) -> None:
    stays = RetryIn(5, Reason.DEAD_LETTER_QUEUE_UNAVAILABLE, "the queue is gone")
    telemetry.log(RecordReport(MESSAGE, stays, "request-1", failed_decision=UNRECORDED))
    line = output.line()
    assert (line["task_id"], line["level"]) == ("task-1", "ERROR")


def test_a_submission_whose_event_could_not_be_published_is_a_warning_with_its_task(
    telemetry: Telemetry, output: LogOutput
) -> None:
    """The row already has the task, so nothing is lost."""
    stays = RetryIn(5, Reason.EVENTS_UNAVAILABLE, "the bus is gone")
    telemetry.log(RecordReport(MESSAGE, stays, "request-1", failed_decision=Done("task-1")))
    line = output.line()
    assert (line["task_id"], line["level"]) == ("task-1", "WARNING")


@pytest.mark.parametrize(
    ("status", "request_id", "name"), [(200, "request-1", "WebhookAccepted"), (401, None, "WebhookRefused")]
)
def test_a_webhook_is_one_line_and_one_count(
    telemetry: Telemetry, output: LogOutput, status: int, request_id: str | None, name: str
) -> None:
    telemetry.webhook(status, request_id, accepted=status == 200)
    line, count = sorted(output.lines(), key=lambda line: "_aws" in line)
    assert (line["action"], line["http_status"], line.get("request_id")) == ("webhook", status, request_id)
    assert count[name] == [1.0]


def test_a_failed_webhook_is_logged_without_its_text(telemetry: Telemetry, output: LogOutput) -> None:
    telemetry.webhook_failed(RuntimeError(LYRICS))
    line = output.line()
    assert (line["level"], line["action"], line["reason"]) == ("WARNING", "webhook", "RuntimeError")
    assert LYRICS not in json.dumps(line)


def test_an_exception_is_logged_by_its_frames_and_without_its_text(telemetry: Telemetry, output: LogOutput) -> None:
    def sing() -> None:
        raise ValueError(LYRICS)

    with pytest.raises(ValueError, match=LYRICS) as caught:
        sing()
    telemetry.log(RecordReport(MESSAGE, RetryIn(1, Reason.UNFORESEEN, "ValueError"), frames=frames_of(caught.value)))
    line = output.line()
    assert line["frames"][-1].startswith("sing:")
    assert LYRICS not in json.dumps(line)


def test_only_the_innermost_frames_are_logged() -> None:
    def dig(depth: int) -> None:
        if depth == 0:
            raise ValueError
        dig(depth - 1)

    with pytest.raises(ValueError, match=r"^$") as caught:
        dig(30)
    assert [frame.split(":")[0] for frame in frames_of(caught.value)] == ["dig"] * 5


def test_a_failed_visibility_change_is_logged_with_its_code_and_the_number_of_messages(
    telemetry: Telemetry, output: LogOutput
) -> None:
    telemetry.visibility_change_failed("ReceiptHandleIsInvalid", 3)
    line = output.line()
    assert (line["level"], line["action"]) == ("WARNING", "change_visibility")
    assert (line["reason"], line["messages"]) == ("ReceiptHandleIsInvalid", 3)


def test_every_refused_batched_write_is_counted_and_the_first_of_each_code_is_logged(
    telemetry: Telemetry, output: LogOutput
) -> None:
    for code in ("AccessDenied", "AccessDenied", "ThrottlingError", "AccessDenied"):
        telemetry.batched_write_refused(code)
    telemetry.count([])
    *lines, metrics = output.lines()
    assert [(line["level"], line["action"], line["reason"]) for line in lines] == [
        ("WARNING", "batched_write", "AccessDenied"),
        ("WARNING", "batched_write", "ThrottlingError"),
    ]
    assert metrics["BatchedWritesRefused"] == [4.0]


def test_a_batch_is_counted_in_one_embedded_metric_line(telemetry: Telemetry, output: LogOutput) -> None:
    telemetry.count(
        [RecordReport(MESSAGE, decision) for decision in (Done("1"), Done("2"), RETRY, REFUSED, UNRECORDED)]
    )
    line = output.lines()[0]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    counts = {"Submitted": 2, "Retried": 1, "DeadLettered": 2, "Rejected": 1, "CallerMustAct": 1, "TaskNotRecorded": 1}
    assert isinstance(line["_aws"]["Timestamp"], int)
    assert directive["Namespace"] == "SongIntake"
    assert all(name in line for dimensions in directive["Dimensions"] for name in dimensions)
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == dict.fromkeys(counts, "Count")
    assert {name: line[name] for name in counts} == {name: [float(count)] for name, count in counts.items()}


@pytest.mark.parametrize(
    ("decision", "names"),
    [
        (Done("1"), {"Submitted"}),
        (Done("1", duplicate=True), {"Duplicate"}),
        (Done("1", ended=Status.SUCCEEDED), {"Succeeded"}),
        (Done("1", ended=Status.SUCCEEDED, links_refused=3), {"Succeeded", "LinksRefused"}),
        (Done("1", ended=Status.FAILED), {"Failed"}),
        (Done("1", duplicate=True, ended=Status.SUCCEEDED), {"Duplicate"}),
        (Done("1", passed_on=True), {"NotYet"}),
        (Done("1", passed_on=True, reason=Reason.NOT_FINISHED), {"NotYet"}),
        (Done("1", passed_on=True, reason=Reason.TASK_UNKNOWN), {"NotYet"}),
        (Done("1", passed_on=True, reason=Reason.UNKNOWN_STATUS), {"NotYet", "UnknownStatus"}),
        (RetryIn(1, Reason.TASK_UNKNOWN, ""), {"Retried"}),
        (DeadLetter(Reason.TASK_UNKNOWN, ""), {"DeadLettered", "GivenUp"}),
        (RetryIn(1, Reason.NOT_FINISHED, ""), {"NotYet"}),
        (RetryIn(1, Reason.UNKNOWN_STATUS, ""), {"Retried", "UnknownStatus"}),
        (RetryIn(1, Reason.AWAITING_WEBHOOK, ""), {"Retried"}),
        (DeadLetter(Reason.NEVER_FINISHED, ""), {"DeadLettered", "GivenUp", "NeverFinished"}),
        (RetryIn(1, Reason.RATE_LIMITED, ""), {"Retried"}),
        (RetryIn(1, Reason.TOKEN_REFUSED, ""), {"Retried", "TokenRefused"}),
        (RetryIn(1, Reason.TOKEN_UNAVAILABLE, ""), {"Retried", "TokenUnavailable"}),
        (RetryIn(1, Reason.NO_CREDITS, ""), {"Retried", "NoCredits"}),
        (RetryIn(1, Reason.LEDGER_UNAVAILABLE, ""), {"Retried", "LedgerUnavailable"}),
        (SendAnew(1, Reason.LEDGER_UNAVAILABLE, ""), {"SentAnew", "LedgerUnavailable"}),
        (SendAnew(1, Reason.CLAIM_HELD, ""), {"SentAnew"}),
        (DeadLetter(Reason.INVALID_REQUEST, ""), {"DeadLettered", "CallerMustAct"}),
        (DeadLetter(Reason.EXPIRED, ""), {"DeadLettered", "CallerMustAct"}),
        (DeadLetter(Reason.REFUSED, ""), {"DeadLettered", "CallerMustAct", "Rejected"}),
        (RetryIn(1, Reason.REDIRECTED, ""), {"Retried"}),
        (DeadLetter(Reason.OUTCOME_UNKNOWN, ""), {"DeadLettered", "InDoubt"}),
        (DeadLetter(Reason.TASK_NOT_RECORDED, ""), {"DeadLettered", "TaskNotRecorded"}),
    ],
)
def test_a_decision_is_counted_under_its_names(
    telemetry: Telemetry, output: LogOutput, decision: Decision, names: set[str]
) -> None:
    telemetry.count([RecordReport(MESSAGE, decision)])
    line = output.lines()[0]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert {metric["Name"] for metric in directive["Metrics"]} == names


def test_refused_links_are_counted_one_by_one(telemetry: Telemetry, output: LogOutput) -> None:
    ends = [Done("1", ended=Status.SUCCEEDED, links_refused=count) for count in (0, 3, 1)]
    telemetry.count([RecordReport(MESSAGE, end) for end in ends])
    line = output.line()
    assert (line["Succeeded"], line["LinksRefused"]) == ([3.0], [4.0])


def test_a_created_task_is_one_line(telemetry: Telemetry, output: LogOutput) -> None:
    telemetry.created("request-1", "message-1", "task-1")
    line = output.line()
    assert (line["level"], line["action"]) == ("INFO", "created")
    assert (line["request_id"], line["message_id"], line["task_id"]) == ("request-1", "message-1", "task-1")


def test_a_log_that_fails_does_not_lose_a_created_task(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(telemetry.logger, "info", broken)
    telemetry.created("request-1", "message-1", "task-1")


def test_shared_faults_are_counted_by_reason(telemetry: Telemetry, output: LogOutput) -> None:
    waiting: list[Decision] = [
        RetryIn(1, Reason.NO_CREDITS, ""),
        SendAnew(1, Reason.NO_CREDITS, ""),
        RetryIn(1, Reason.LEDGER_UNAVAILABLE, ""),
        RetryIn(1, Reason.PACED, ""),
        RetryIn(1, Reason.CLAIM_HELD, ""),
        DeadLetter(Reason.REFUSED, ""),
    ]
    telemetry.count([RecordReport(MESSAGE, decision) for decision in waiting])
    *_, letter = lines = output.lines()
    assert {line["reason"]: line["FaultsShared"] for line in lines[1:-1]} == {
        "NO_CREDITS": [2.0],
        "LEDGER_UNAVAILABLE": [1.0],
    }
    assert (letter["reason"], letter["DeadLettered"]) == ("REFUSED", [1.0])


def test_latencies_are_milliseconds_and_never_negative(telemetry: Telemetry, output: LogOutput) -> None:
    telemetry.submitted_after(1.2345)
    telemetry.submitted_after(-0.2)
    telemetry.published_after(0.05)
    telemetry.count([])
    line = output.line()
    assert (line["SendToSubmitted"], line["EndToEvent"]) == ([1234.0, 0.0], [50.0])
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert {metric["Unit"] for metric in directive["Metrics"]} == {"Milliseconds"}
    telemetry.count([])
    assert output.lines() == [], "a latency is reported once"


def test_more_latencies_than_a_line_may_have_are_on_several_lines(telemetry: Telemetry, output: LogOutput) -> None:
    for number in range(250):
        telemetry.submitted_after(number)
    telemetry.count([])
    values = [line["SendToSubmitted"] for line in output.lines()]
    assert max(len(some) for some in values) <= 100
    assert sorted(value for some in values for value in some) == [1000.0 * number for number in range(250)]


def test_a_repeated_refusal_is_a_line_at_once_and_a_metric_of_the_next_batch(
    telemetry: Telemetry, output: LogOutput
) -> None:
    telemetry.repeated_refusal(Refused(Reason.REFUSED, "HTTP 422", 422))
    line = output.line()
    assert (line["level"], line["action"], line["detail"]) == ("WARNING", "repeated_refusal", "HTTP 422")
    telemetry.count([])
    telemetry.count([])
    _, metrics = output.lines()
    assert metrics["RepeatedRefusals"] == [1.0]


def test_an_empty_batch_is_not_counted(telemetry: Telemetry, output: LogOutput) -> None:
    telemetry.count([])
    assert output.lines() == []


def test_one_batch_is_not_counted_again_with_the_next(telemetry: Telemetry, output: LogOutput) -> None:
    telemetry.count([RecordReport(MESSAGE, Done("1"))])
    telemetry.count([RecordReport(MESSAGE, RETRY)])
    _, second, _ = output.lines()
    assert "Submitted" not in second


def test_neither_body_nor_receipt_is_in_any_line(telemetry: Telemetry, output: LogOutput) -> None:
    for decision in (Done("1"), RETRY, REFUSED, UNRECORDED):
        report = RecordReport(MESSAGE, decision, "request-1")
        telemetry.log(report)
        telemetry.count([report])
    text = output.text()
    assert LYRICS not in text
    assert "receipt-1" not in text
