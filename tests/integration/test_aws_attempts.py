"""The time that an AWS call may take, by the real clients, and the calls that must fit into the settle margin."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from song_intake.app.resolve import ResolveSettings
from song_intake.app.switch import SwitchSettings
from song_intake.app.webhook import WebhookSettings
from song_intake.aws.attempts import ATTEMPTS, BACKOFF_SECONDS, CALLS_IN_A_ROW, attempt_seconds
from song_intake.aws.clients import AwsClients, Service
from song_intake.aws.failure import AWS_FAILURES
from song_intake.aws.group_commit import PATIENCE_SECONDS
from song_intake.work.batch import ANSWER_MARGIN_SECONDS
from tests.integration.raw_tls_server import HOST
from tests.template.transformed import ends, parameter_defaults

DEFAULT_MARGIN = float(parameter_defaults()["SettleMarginSeconds"])
MARGINS = [*map(float, ends("SettleMarginSeconds")), DEFAULT_MARGIN]
SECONDS = [
    *(margin - ANSWER_MARGIN_SECONDS for margin in MARGINS),
    WebhookSettings.aws_seconds,
    ResolveSettings.aws_seconds,
    SwitchSettings.aws_seconds,
]
CALLS: dict[Service, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("get_item", {"TableName": "t", "Key": {"id": {"S": "1"}}}),
    "events": ("put_events", {"Entries": []}),
    "lambda": ("get_event_source_mapping", {"UUID": "m"}),
    "secretsmanager": ("get_secret_value", {"SecretId": "token"}),
    "sqs": ("send_message", {"QueueUrl": "https://sqs.example/1/q", "MessageBody": "b"}),
    "stepfunctions": ("send_task_success", {"taskToken": "t", "output": "{}"}),
}


class Unavailable(BaseHTTPRequestHandler):
    """Answers every call with a failure that botocore retries."""

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Refusing(BaseHTTPRequestHandler):
    """Answers every write as DynamoDB does when its condition fails, but first as often as `busy` that it is busy."""

    protocol_version = "HTTP/1.1"
    busy = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_busy, Refusing.busy = Refusing.busy > 0, max(0, Refusing.busy - 1)
        body = b"" if is_busy else b'{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}'
        self.send_response(503 if is_busy else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def unavailable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from _serving(Unavailable, monkeypatch)


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from _serving(Refusing, monkeypatch)


def _serving(handler: type[BaseHTTPRequestHandler], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer((HOST, 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:{server.server_port}")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("seconds", SECONDS)
def test_the_longest_calls_in_a_row_fit_into_their_time(seconds: float) -> None:
    call = ATTEMPTS * attempt_seconds(seconds) + (ATTEMPTS - 1) * BACKOFF_SECONDS
    assert attempt_seconds(seconds) > 0
    assert PATIENCE_SECONDS + CALLS_IN_A_ROW * call < seconds


def test_at_the_default_margin_an_attempt_has_more_than_a_second() -> None:
    assert attempt_seconds(DEFAULT_MARGIN - ANSWER_MARGIN_SECONDS) > 1


@pytest.mark.parametrize("service", CALLS)
def test_a_call_is_tried_twice_with_a_short_wait_between(
    service: Service, unavailable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    client: Any = _clients(10).client(service)
    operation, arguments = CALLS[service]
    for _ in range(20):
        with pytest.raises(AWS_FAILURES):
            getattr(client, operation)(**arguments)
    # The wait is random. Of twenty, some are longer than a tenth of the longest.
    assert len(waits) == 20 * (ATTEMPTS - 1)
    assert BACKOFF_SECONDS / 10 < max(waits) <= BACKOFF_SECONDS


@pytest.mark.parametrize("busy", [0, 1])
def test_a_failed_condition_shows_whether_its_write_was_sent_before(refusing: None, busy: int) -> None:
    """The budget relies on that: a first attempt may have been made although its response was lost."""
    Refusing.busy = busy
    write: Any = {"TableName": "t", "Key": {"request_id": {"S": "1"}}, "UpdateExpression": "ADD used :one"}
    client = _clients(10).client("dynamodb")
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as failed:
        client.update_item(**write, ExpressionAttributeValues={":one": {"N": "1"}})
    assert failed.value.response["ResponseMetadata"]["RetryAttempts"] == busy


def test_a_call_to_a_service_that_never_answers_ends_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 3.0
    with socket.create_server((HOST, 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:{silent.getsockname()[1]}")
        client = _clients(seconds).client("secretsmanager")
        began = time.monotonic()
        with pytest.raises(AWS_FAILURES):
            client.get_secret_value(SecretId="token")
        lasted = time.monotonic() - began
    attempts = ATTEMPTS * attempt_seconds(seconds)
    assert attempts <= lasted < seconds / CALLS_IN_A_ROW


def _clients(seconds: float) -> AwsClients:
    return AwsClients(ssl.create_default_context(), seconds, connections=1)
