"""What the functions' session leaves out of botocore's own makes no difference to any call of theirs."""

import ssl
from typing import Any, cast

import pytest
from botocore import hooks
from botocore.awsrequest import AWSResponse
from botocore.session import Session

from song_intake.aws import clients
from song_intake.aws.transport import AwsTransport
from tests.template.test_aws_models import OPERATIONS

Handled = list[tuple[str, list[str]]]

SURROUNDINGS = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}

OBJECT = {"Bucket": "recordings", "Key": "songs/order-1/clip-1.m4a"}

# Parameters without which botocore cannot compose the request.
PARAMETERS: dict[str, dict[str, Any]] = {
    "GetEventSourceMapping": {"UUID": "mapping-1"},
    "UpdateEventSourceMapping": {"UUID": "mapping-1"},
    **dict.fromkeys(("GetObject", "PutObject", "CreateMultipartUpload"), OBJECT),
    "AbortMultipartUpload": {**OBJECT, "UploadId": "upload-1"},
    "CompleteMultipartUpload": {**OBJECT, "UploadId": "upload-1"},
    "UploadPart": {**OBJECT, "UploadId": "upload-1", "PartNumber": 1},
}


class Answer:
    """The body of an answer that has nothing in it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> list[bytes]:
        return [self._body]


def whole_session(**_: bool) -> Session:
    """botocore's own session."""
    return Session()


def events_of_all_calls(monkeypatch: pytest.MonkeyPatch) -> Handled:
    """Each event of making the clients and of calling every operation, with the names of botocore's handlers."""
    handled: Handled = []
    emitters: Any = hooks.HierarchicalEmitter
    emit = emitters._emit

    def recorded(emitter: Any, event: str, *rest: Any, **options: Any) -> Any:
        names = map(_name, emitter._handlers.prefix_search(event))
        # Powertools adds one of its own when a session is made, and so before or after botocore's.
        handled.append((event, [name for name in names if name.startswith("botocore.")]))
        return emit(emitter, event, *rest, **options)

    with monkeypatch.context() as patch:
        for name, value in SURROUNDINGS.items():
            patch.setenv(name, value)
        patch.setattr(emitters, "_emit", recorded)
        patch.setattr(AwsTransport, "send", _empty_answer)
        aws = cast("Any", clients.AwsClients(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 1, 1, s3_seconds=30))
        for service, operations in OPERATIONS.items():
            client = aws.client(service)
            for operation in sorted(operations):
                client._make_api_call(operation, dict(PARAMETERS.get(operation, {})))
    return handled


def _empty_answer(_: AwsTransport, request: Any, **__: object) -> AWSResponse:
    # S3 speaks XML, and calls an empty answer to a completed upload a failure.
    body = b"<Result/>" if ".s3." in request.url else b"{}"
    return AWSResponse(request.url, 200, cast("Any", {}), Answer(body))


def _name(handler: Any) -> str:
    # An object may be a handler too: moto has one.
    return f"{handler.__module__}.{getattr(handler, '__qualname__', type(handler).__qualname__)}"


def test_every_event_reaches_the_handlers_that_it_reaches_in_botocores_own_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = events_of_all_calls(monkeypatch)
    monkeypatch.setattr(clients, "sdk_session", whole_session)
    assert ours == events_of_all_calls(monkeypatch)
    names = {name for _, handlers in ours for name in handlers}
    assert "botocore.handlers.add_retry_headers" in names
