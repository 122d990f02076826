"""The client that callers copy: against a loopback SQS that fails, and against the published contract."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from song_client import ENDED, LARGEST_BODY_BYTES, NotSent, SongIntake, SongRequest
from song_intake.contract import song_request
from song_intake.domain.status import FINAL, Status

SCHEMA = json.loads((Path(song_request.__file__).parent / "song_request.schema.json").read_text(encoding="utf-8"))
SONG: SongRequest = {"sound": "slow folk"}


@contextmanager
def failing_sqs(failures: int) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """The URL of an SQS that fails so many times, then accepts; and the requests that it received."""
    received: list[dict[str, object]] = []

    class Sqs(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            message = call["MessageBody"]
            received.append({**json.loads(message), **call.get("MessageAttributes", {})})
            is_accepted = len(received) > failures
            answer = {"MessageId": "m-1", "MD5OfMessageBody": hashlib.md5(message.encode()).hexdigest()}  # noqa: S324
            body = json.dumps(answer if is_accepted else {"__type": "ServiceUnavailable"}).encode()
            self.send_response(200 if is_accepted else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Sqs) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


def client(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> SongIntake:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return SongIntake(f"{endpoint}/queue", "ledger", session)


def test_every_attempt_of_a_send_has_one_request_id(monkeypatch: pytest.MonkeyPatch) -> None:
    with failing_sqs(2) as (endpoint, received):
        request_id = client(monkeypatch, endpoint).send(SONG)
    assert [request["request_id"] for request in received] == [request_id] * 3


@pytest.mark.parametrize("empty", ["", 0, 7, "a b"])
def test_an_id_that_is_no_id_is_refused_and_not_replaced_by_a_random_one(
    monkeypatch: pytest.MonkeyPatch, empty: Any
) -> None:
    """A caller who makes it by mistake, and is repeated, would pay for each."""
    with failing_sqs(0) as (endpoint, received):
        intake = client(monkeypatch, endpoint)
        with pytest.raises(ValueError, match="is not 1 to 128 of"):
            intake.send(SONG, request_id=empty)
        with pytest.raises(ValueError, match="is not 1 to 128 of"):
            intake.send({**SONG, "request_id": empty})
    assert received == []


def test_a_send_that_is_not_confirmed_names_the_id_to_send_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with failing_sqs(5) as (endpoint, received):
        intake = client(monkeypatch, endpoint)
        with pytest.raises(NotSent) as failure:
            intake.send(SONG)
        assert intake.send(SONG, failure.value.request_id) == failure.value.request_id
    assert {request["request_id"] for request in received} == {failure.value.request_id}


def test_the_trace_of_the_caller_is_sent_with_every_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    with failing_sqs(1) as (endpoint, received):
        client(monkeypatch, endpoint).send(SONG, traceparent="00-trace")
    attribute = {"DataType": "String", "StringValue": "00-trace"}
    assert [request["traceparent"] for request in received] == [attribute] * 2


def test_two_sends_without_an_id_are_two_songs(monkeypatch: pytest.MonkeyPatch) -> None:
    with failing_sqs(0) as (endpoint, _):
        intake = client(monkeypatch, endpoint)
        assert intake.send(SONG) != intake.send(SONG)


@pytest.mark.parametrize(
    ("song", "request_id", "sent_as"),
    [
        (SONG, "order-1", "order-1"),
        ({**SONG, "request_id": "order-2"}, None, "order-2"),
        ({**SONG, "request_id": "order-2"}, "order-3", "order-3"),
    ],
)
def test_the_callers_id_is_sent(
    monkeypatch: pytest.MonkeyPatch, song: SongRequest, request_id: str | None, sent_as: str
) -> None:
    with failing_sqs(0) as (endpoint, received):
        assert client(monkeypatch, endpoint).send(song, request_id) == sent_as
    assert received == [{**SONG, "request_id": sent_as}]


@pytest.mark.parametrize(
    ("song", "request_id", "rule"),
    [
        (SONG, "order 1", "A-Z a-z 0-9"),
        (SONG, "#pace", "A-Z a-z 0-9"),
        (SONG, "x" * 129, "1 to 128"),
        ({"lyrics": "ä" * (LARGEST_BODY_BYTES // 2)}, "order-1", "larger than 65536 bytes"),
        ({"sound": "folk", "weirdness": float("nan")}, "order-1", "not JSON compliant"),
    ],
)
def test_what_the_stack_would_refuse_by_its_id_or_size_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, song: SongRequest, request_id: str, rule: str
) -> None:
    with failing_sqs(0) as (endpoint, received), pytest.raises(ValueError, match=rule):
        client(monkeypatch, endpoint).send(song, request_id)
    assert received == []


def test_the_client_knows_the_published_contract() -> None:
    assert set(SongRequest.__annotations__) == set(SCHEMA["properties"])
    assert set(Status) >= ENDED == {*FINAL, Status.REJECTED}
