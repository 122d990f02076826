"""Targets that run a whole function on one message, on services in memory."""

import json
import re
import time
from functools import cache
from typing import Any, cast
from urllib.parse import quote

import jsonschema_rs

from song_intake.app.submit import submit_song
from song_intake.app.track import track_song
from song_intake.contract.sqs_message import Message, SqsRecord
from song_intake.domain.decision import DeadLetter, Done, RetryIn, SendAnew
from song_intake.domain.outcome import Outcome, Retryable
from song_intake.domain.reason import Reason
from song_intake.domain.task import TaskState
from song_intake.domain.trace import Trace
from song_intake.music_api.answer import Answer
from song_intake.music_api.client import Connection, MusicApi
from song_intake.music_api.create import outcome_of
from song_intake.music_api.credits import Balance, balance_of
from song_intake.music_api.poll import state_of
from song_intake.outgoing import events
from song_intake.outgoing.telemetry import RecordReport
from song_intake.work.batch import Batch
from tests.fuzz.canaries import assert_no_canary, with_canaries
from tests.fuzz.drawing import Drawing, text_of
from tests.fuzz.services import CheckedDynamoDb, NoFaults, Recorded, RecordingQueue, clients, telemetry_of
from tests.fuzz.vendor_targets import answer_in, with_canaries_in
from tests.local.contract import closed_event_schema
from tests.properties.simulation.clients import submit_settings, track_settings, webhook_settings
from tests.properties.simulation.dynamodb import Table
from tests.properties.simulation.queues import DEAD_LETTERS_URL

REQUEST_ID, TASK_ID = "order-1", "task-1"
_SECONDS_LEFT = 60.0


class AnsweringApi(MusicApi):
    """The music API, which answers every call with one answer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.created: list[bytes] = []

    def connect(self) -> Connection | Retryable:
        return _AnsweringConnection(self, self._answer)

    def within(self, _seconds: float) -> "AnsweringApi":
        return self

    def poll(self, task_id: str, token: str, trace: Trace | None = None) -> TaskState:
        quote(task_id, safe="")
        return state_of(self._answer)

    def credits(self, token: str) -> Balance | Any:
        return balance_of(self._answer)


_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class _AnsweringConnection(Connection):
    def __init__(self, api: AnsweringApi, answer: Answer) -> None:
        self._api = api
        self._answer = answer

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def create(self, body: bytes, token: str, trace: Trace | None = None) -> Outcome:
        self._api.created.append(body)
        assert trace is None or _TRACEPARENT.fullmatch(trace.next_traceparent), "the header has another form"
        return outcome_of(self._answer)


def record(data: bytes) -> None:
    """submit_song decides about any record, pays once at most, and shows no text of the request or the vendor."""
    drawing = Drawing(data)
    receives, attributes = drawing.pick((1, 2, 7, 11, 12, 14, 15, 16)), _attributes(drawing)
    status = drawing.pick((200, 201, 204, 400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 504, 302, 308))
    answer_body, _, body = drawing.rest().partition(b"\n\n")
    answer = Answer(status, answer_body)
    plain = text_of(body)
    planted, planted_answer = with_canaries(plain), with_canaries_in(answer)
    for text, reply, is_planted in ((plain, answer, False), (planted, planted_answer or answer, True)):
        if text is not None:
            written = _submit(_record(text, receives, attributes), reply)
            if is_planted:
                assert_no_canary(*written)


def _attributes(drawing: Drawing) -> dict[str, Any]:
    """Attributes as Lambda delivers them; none has a valid proof."""
    names = ["reason", "first_message_id", "request_id", "task_id", "sent_anew_for", "proof", "detail", "caller"]
    names += ["traceparent", "first_sent_at"]
    values = ["REFUSED", "UNFORESEEN", "TASK_NOT_RECORDED", "message-0", "order-1", "#intake", "0" * 64, ""]
    values += [f"00-{'a' * 32}-{'b' * 16}-01", "Root=1-aaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaaa;Sampled=1", "00-0-0-00", "1"]
    attributes: dict[str, Any] = {}
    for _ in range(drawing.below(11)):
        name = drawing.pick(names) if drawing.flag() else drawing.text()
        text = drawing.pick(values) if drawing.flag() else drawing.text()
        kind = drawing.pick(("String", "Number", "Binary", "String.own"))
        attributes[name] = {"dataType": kind} if kind == "Binary" else {"dataType": kind, "stringValue": text}
    return attributes


def _record(body: str, receives: int, attributes: dict[str, Any]) -> SqsRecord:
    trace = attributes.get("caller", {}).get("stringValue")
    return {
        "messageId": "message-1",
        "receiptHandle": "receipt-1",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": str(int(time.time() * 1000)),
            **({"AWSTraceHeader": trace} if trace else {}),
        },
        "messageAttributes": attributes,
    }


def _submit(sqs_record: SqsRecord, answer: Answer) -> list[object]:
    """All that the function wrote for somebody to read; the body of a message is not read."""
    recorded, table, api = Recorded(), Table(), AnsweringApi(answer)
    settings = submit_settings(max_receive_count=15, **webhook_settings())
    dynamodb = CheckedDynamoDb(NoFaults(), table)
    batch = submit_song(settings, clients(recorded, RecordingQueue(recorded), dynamodb), telemetry_of(recorded), api)
    report = _handle(batch, sqs_record)
    assert len(api.created) <= (2 if _refuses_the_token(answer) else 1), "a song is paid for once"
    assert all(json.loads(body)["task_type"] == "create_music" for body in api.created)
    _check_report(report, recorded)
    _check_events(recorded)
    shown = [{**message, "MessageBody": ""} for message in recorded.messages if "Id" not in message]
    answers = [{**answer, "taskToken": ""} for answer in recorded.answers]
    stored = [{**item, "metadata": {}, "task_tokens": {}} for item in table.items.values()]
    published = [{**json.loads(event["Detail"]), "metadata": {}} for event in recorded.events]
    return [recorded.lines, shown, published, _without_metadata(answers), stored]


def _refuses_the_token(answer: Answer) -> bool:
    """A create that is answered so is sent once more, with a token that is read anew: nothing was created.

    What counts as such an answer is held by the table of test_create_answer.py.
    """
    outcome = outcome_of(answer)
    return isinstance(outcome, Retryable) and outcome.reason is Reason.TOKEN_REFUSED


def _without_metadata(answers: list[dict[str, Any]]) -> list[object]:
    """What a task got: the caller's own metadata is repeated to it on purpose."""
    texts = [answer.get("cause") or answer.get("output") or "{}" for answer in answers]
    return [{**json.loads(text), "metadata": {}} for text in texts]


def _handle(batch: Batch, sqs_record: SqsRecord) -> RecordReport:
    """As Batch does it, on this thread."""
    message = Message.of(sqs_record)
    report = batch.work.decide(message, lambda: _SECONDS_LEFT)
    batch.telemetry.log(report)
    done = batch.work.perform(report)
    batch.telemetry.log(done)
    batch.telemetry.count([done])
    return done


def _check_report(report: RecordReport, recorded: Recorded) -> None:
    decision = report.decision
    assert isinstance(decision, Done | RetryIn | SendAnew | DeadLetter)
    assert decision.reason is not Reason.UNFORESEEN, f"an unexpected error at {report.frames}"
    letters = [message for message in recorded.messages if message.get("QueueUrl") == DEAD_LETTERS_URL]
    assert len(letters) == isinstance(decision, DeadLetter)
    for letter in letters:
        assert letter["MessageAttributes"]["reason"]["StringValue"] == decision.reason
        assert len(letter["MessageAttributes"]["detail"]["StringValue"]) <= 2_100


@cache
def _event_validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(closed_event_schema())


def _check_events(recorded: Recorded) -> None:
    for event in recorded.events:
        if event["Source"] == events.SONG_SOURCE:
            assert _event_validator().is_valid(json.loads(event["Detail"])), "an event breaks its schema"


def song_end(data: bytes) -> None:
    """track_song decides after any poll; an end is on the row, on the bus and at the task."""
    answer = answer_in(data)
    _track(answer)
    if (planted := with_canaries_in(answer)) is not None:
        assert_no_canary(*_track(planted))


def _track(answer: Answer) -> list[object]:
    recorded, table = Recorded(), Table()
    row = {"request_id": REQUEST_ID, "status": "SUBMITTED", "fingerprint": "f", "message_id": "m", "task_id": TASK_ID}
    item: dict[str, Any] = {name: {"S": text} for name, text in row.items()}
    table.items[REQUEST_ID] = {**item, "task_tokens": {"SS": ["token-1"]}}
    dynamodb = CheckedDynamoDb(NoFaults(), table)
    aws = clients(recorded, RecordingQueue(recorded), dynamodb)
    batch = track_song(track_settings(), aws, telemetry_of(recorded), AnsweringApi(answer))
    check = {"request_id": REQUEST_ID, "task_id": TASK_ID, "since": time.time()}
    report = _handle(batch, _record(json.dumps(check), 1, {}))
    _check_report(report, recorded)
    _check_events(recorded)
    stored = cast("dict[str, Any]", table.items[REQUEST_ID])
    is_ended = stored["status"]["S"] in ("SUCCEEDED", "FAILED")
    assert is_ended == (isinstance(report.decision, Done) and report.decision.ended is not None)
    assert (len(recorded.events), len(recorded.answers)) == ((1, 1) if is_ended else (0, 0))
    return [recorded.lines, recorded.messages, recorded.events, recorded.answers, stored]
