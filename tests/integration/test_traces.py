"""One trace from the caller's message to the music API, the row, the events, the log and the queues between them."""

import json
import random
import time
from typing import Any

import pytest

from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import Done
from song_intake.domain.status import Status
from song_intake.domain.trace import Trace
from song_intake.outgoing.checks import SongCheck
from tests.integration.bench import FINAL_RECEIVE, Bench, plenty_of_time, record_of, song
from tests.integration.decisions import decide
from tests.integration.following import body_of, check_batch, look_at_all
from tests.integration.handling import handle_all
from tests.integration.ledger_case import brought_to
from tests.integration.resolving import resolution_of, task_given
from tests.integration.test_redrive import back, moved_by_sqs, redrive_of
from tests.local.vendor import behaviour
from tests.local.vendor.answer import LYRICS_REFUSED
from tests.local.vendor.server import Request

TITLE = "Night Train"
ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
OTHER = "5759e988bd862e3fe1be46a994272793"
GIVEN = {"traceparent": f"00-{ID}-{SPAN}-01"}
ODD = f"Root=1-{OTHER}; traceparent=00-{OTHER}"


@pytest.fixture(autouse=True)
def no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is sent anew is visible at once."""
    monkeypatch.setattr(random, "uniform", lambda _least, _most: 0.0)


def trace_of(request: Request) -> Trace | None:
    return Trace.of_traceparent(request.headers.get("traceparent"))


def traces_of_creates(bench: Bench) -> list[Trace | None]:
    return [trace_of(request) for request in bench.vendor.attempts_of(TITLE)]


def test_the_create_is_a_step_of_the_caller_s_trace(bench: Bench, request_id: str) -> None:
    bench.batch().handle([record_of(song(TITLE, request_id), attributes=GIVEN)], plenty_of_time)
    (trace,) = traces_of_creates(bench)
    assert trace is not None
    assert (trace.trace_id, trace.flags) == (ID, "01")
    assert trace.span_id != SPAN


def test_a_create_that_is_repeated_with_a_newer_token_is_another_step(bench: Bench, request_id: str) -> None:
    submission = bench.submission()
    submission.api_token.current()
    bench.vendor.tokens.clear()
    bench.vendor.tokens.add("newer")
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString="newer")
    bench.batch(submission).handle([record_of(song(TITLE, request_id), attributes=GIVEN)], plenty_of_time)
    first, second = traces_of_creates(bench)
    assert first is not None
    assert second is not None
    assert first.trace_id == second.trace_id == ID
    assert first.span_id != second.span_id


def test_the_row_the_event_the_check_and_every_line_of_the_log_have_the_trace(bench: Bench, request_id: str) -> None:
    bench.batch().handle([record_of(song(TITLE, request_id), attributes=GIVEN)], plenty_of_time)
    assert bench.row(request_id)["trace_id"] == ID
    (event,) = bench.bus.details()
    assert (event["status"], event["trace_id"]) == ("SUBMITTED", ID)
    (check,) = bench.checks.records()
    assert json.loads(check["body"])["trace_id"] == ID
    lines = [line for line in bench.lines() if line.get("request_id") == request_id]
    assert [line["action"] for line in lines] == ["created", "submitted"]
    assert {line["trace_id"] for line in lines} == {ID}


def test_the_polls_the_end_and_its_line_have_the_trace(bench: Bench, request_id: str) -> None:
    bench.batch().handle([record_of(song(TITLE, request_id), attributes=GIVEN)], plenty_of_time)
    look_at_all(bench, check_batch(bench))
    (poll,) = bench.vendor.polls_of(TITLE)
    trace = trace_of(poll)
    assert trace is not None
    assert trace.trace_id == ID
    assert {event["status"]: event["trace_id"] for event in bench.bus.details()} == {"SUBMITTED": ID, "SUCCEEDED": ID}
    assert bench.lines()[-1].items() >= {"action": "succeeded", "trace_id": ID}.items()


def test_a_check_of_a_webhook_has_the_trace_of_the_row(bench: Bench, request_id: str) -> None:
    """The function that receives webhooks cannot read the row, so its check names no trace."""
    decide(bench.submission(), record_of(song(TITLE, request_id), attributes=GIVEN))
    task_id = bench.row(request_id)["task_id"]
    hint = bench.proofs.hint("hint-1", request_id, task_id, is_late=False)
    bench.checks.send(body_of(SongCheck(request_id, task_id, time.time(), hint=hint)))
    look_at_all(bench, check_batch(bench))
    assert [trace.trace_id for poll in bench.vendor.polls_of(TITLE) if (trace := trace_of(poll))] == [ID]
    assert bench.lines()[-1].items() >= {"action": "succeeded", "trace_id": ID}.items()


def test_a_duplicate_with_another_trace_does_not_change_the_row(bench: Bench, request_id: str) -> None:
    batch = bench.batch()
    for trace_id in (ID, OTHER):
        attributes = {"traceparent": f"00-{trace_id}-{SPAN}-01"}
        batch.handle([record_of(song(TITLE, request_id), attributes=attributes)], plenty_of_time)
    assert bench.row(request_id)["trace_id"] == ID
    assert {event["trace_id"] for event in bench.bus.details()} == {ID}
    # The line is about the message, which its caller looks for under its own trace.
    assert bench.lines()[-1].items() >= {"action": "duplicate", "trace_id": OTHER}.items()


def test_a_request_that_is_claimed_again_keeps_its_first_trace(bench: Bench, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    for trace_id in (ID, OTHER):
        attributes = {"traceparent": f"00-{trace_id}-{SPAN}-01"}
        bench.batch().handle([record_of(song(TITLE, request_id), attributes=attributes)], plenty_of_time)
    assert bench.row(request_id).items() >= {"status": "SUBMITTED", "trace_id": ID}.items()
    assert [trace.trace_id for trace in traces_of_creates(bench) if trace] == [ID, ID]


def test_a_create_is_not_recorded_if_its_caller_does_not_record_the_trace(bench: Bench, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    attributes = {"traceparent": f"00-{ID}-{SPAN}-00"}
    for _ in range(2):
        bench.batch().handle([record_of(song(TITLE, request_id), attributes=attributes)], plenty_of_time)
    assert [(trace.trace_id, trace.flags) for trace in traces_of_creates(bench) if trace] == [(ID, "00"), (ID, "00")]


def test_a_later_message_may_bring_the_trace_that_the_first_one_lacked(bench: Bench, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    for attributes in ({}, GIVEN):
        bench.batch().handle([record_of(song(TITLE, request_id), attributes=attributes)], plenty_of_time)
    assert bench.row(request_id)["trace_id"] == ID


@pytest.mark.parametrize("odd", [None, "", "00", ODD, f"00-{'0' * 32}-{SPAN}-01", "x" * 100_000])
def test_no_trace_rejects_a_request_and_none_is_invented(bench: Bench, request_id: str, odd: str | None) -> None:
    record = record_of(song(TITLE, request_id), attributes={"traceparent": odd} if odd is not None else {})
    if odd is not None:
        record["attributes"]["AWSTraceHeader"] = odd
    assert isinstance(decide(bench.submission(), record), Done)
    assert "trace_id" not in bench.row(request_id)
    assert traces_of_creates(bench) == [None]


def test_a_trace_that_only_sqs_has_counts(bench: Bench, request_id: str) -> None:
    bench.requests.send(song(TITLE, request_id), xray_header=f"Root=1-{ID[:8]}-{ID[8:]};Sampled=0")
    handle_all(bench, bench.batch())
    assert bench.row(request_id)["trace_id"] == ID
    assert [trace.flags for trace in traces_of_creates(bench) if trace] == ["00"]


@pytest.mark.parametrize("source", ["traceparent", "AWSTraceHeader"])
def test_a_redriven_letter_keeps_its_trace(bench: Bench, request_id: str, source: str) -> None:
    bench.vendor.plan(TITLE, behaviour.refuses(LYRICS_REFUSED))
    record = record_of(song(TITLE, request_id), attributes=GIVEN if source == "traceparent" else {})
    if source == "AWSTraceHeader":
        record["attributes"]["AWSTraceHeader"] = f"Root=1-{ID[:8]}-{ID[8:]};Parent={SPAN};Sampled=1"
    bench.batch().handle([record], plenty_of_time)
    assert bench.bus.details()[0]["trace_id"] == ID
    redrive_of(bench).handle({"queue": "requests"}, plenty_of_time)
    (redriven,) = bench.receive()
    assert redriven["messageAttributes"]["traceparent"]["stringValue"] == GIVEN["traceparent"]
    bench.batch().handle([redriven], plenty_of_time)
    assert [trace.trace_id for trace in traces_of_creates(bench) if trace] == [ID, ID]


def test_a_letter_that_sqs_moved_keeps_its_trace(bench: Bench) -> None:
    header = f"Root=1-{ID[:8]}-{ID[8:]};Parent={SPAN};Sampled=1"
    moved_by_sqs(bench, {}, xray_header=header)
    redrive_of(bench).handle({"queue": "requests"}, plenty_of_time)
    (redriven,) = back(bench)
    assert redriven.trace == Trace(ID, SPAN, "01")


def test_the_song_of_an_operator_s_decision_is_polled_with_the_trace_of_its_request(bench: Bench) -> None:
    case = brought_to(bench, Status.IN_DOUBT)
    key = {"request_id": {"S": case.request.request_id}}
    values: Any = {":trace_id": {"S": ID}}
    bench.dynamodb.update_item(
        TableName=bench.table, Key=key, UpdateExpression="SET trace_id = :trace_id", ExpressionAttributeValues=values
    )
    resolution_of(bench).handle(task_given(case))
    (check,) = bench.checks.records()
    assert json.loads(check["body"])["trace_id"] == ID


def test_a_message_that_is_sent_anew_keeps_its_trace_and_the_time_of_its_first_sending(
    bench: Bench, request_id: str
) -> None:
    sent_at = round(time.time()) - 100.0
    record = record_of(song(TITLE, request_id), receives=FINAL_RECEIVE, attributes=GIVEN, sent_at=sent_at)
    bench.vendor.refuse_connections()
    for _ in range(2):
        bench.batch().handle([record], plenty_of_time)
        (record,) = bench.wait_for_requests()
        record["attributes"]["ApproximateReceiveCount"] = str(FINAL_RECEIVE)
    message = bench.proofs.read(Message.of(record))
    assert message.trace == Trace(ID, SPAN, "01")
    assert message.first_sent_at == sent_at
    assert message.sent_at > sent_at + 90
