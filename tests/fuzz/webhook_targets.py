"""The target of the webhook: calls of which some are signed with the keys, and events of any other form."""

import base64
import hashlib
import hmac
import time
from contextlib import suppress
from typing import Any, cast

from song_intake.contract.proof import Proofs
from song_intake.outgoing.checks import SongChecks
from song_intake.work.webhook_endpoint import HttpApiEvent, Reply, WebhookEndpoint
from tests.fuzz.drawing import Drawing
from tests.fuzz.services import Recorded, RecordingQueue, signing_keys, telemetry_of
from tests.signing import SECOND_KEY, SIGNING_KEY

_KEYS = (SIGNING_KEY, SECOND_KEY, "a-foreign-key-0123456789-0123456789")
_REPLIES = frozenset((Reply.ACCEPTED, Reply.NOT_AUTHENTIC, Reply.NO_SUCH_ADDRESS))
_REQUESTS = ("order-1", "order-2", "order-3", "order-4")
_BODY = b'{"code": 200, "task_id": "task-1", "event": "song.completed", "data": []}'
_TIMES = (0, -299, 280, -301, 400, -86_400, 86_400)
_FIELDS = ("pathParameters", "headers", "body", "isBase64Encoded", "requestContext", "version")


def webhook_event(data: bytes) -> None:
    """A call is accepted only if its address and its signature are of one of the two keys."""
    event = _event(Drawing(data))
    recorded = Recorded()
    response = _endpoint(recorded).handle(cast("HttpApiEvent", event))
    assert response.keys() == {"statusCode"}
    assert response["statusCode"] in _REPLIES
    assert type(response["statusCode"]) is int
    is_accepted = response["statusCode"] == Reply.ACCEPTED
    assert not is_accepted or _is_genuine(event), "a forged call was accepted"
    assert is_accepted or not _must_be_accepted(event), "a genuine call was refused"
    assert len(recorded.messages) == is_accepted
    assert all(key not in repr((recorded.lines, response)) for key in _KEYS)
    assert "sha256=" not in repr(recorded.lines)


def _endpoint(recorded: Recorded) -> WebhookEndpoint:
    checks = SongChecks(cast("Any", RecordingQueue(recorded)), "https://simulated.invalid/checks", first_check=0)
    keys = signing_keys()
    return WebhookEndpoint(keys, Proofs(keys), checks, telemetry_of(recorded))


def _event(drawing: Drawing) -> dict[str, Any]:
    """A genuine event, of which each part may be another one."""
    request_id = drawing.pick((*_REQUESTS, "order-5", ".", "", "#intake")) if drawing.below(8) else drawing.text()
    key = drawing.pick(_KEYS)
    mac = _hmac(key, f"path:{request_id}".encode(errors="surrogatepass"))
    timestamp = str(int(time.time()) + drawing.pick(_TIMES)) if drawing.below(8) else drawing.text()
    body = _BODY if drawing.flag() else drawing.raw(drawing.below(200))
    signed = f"{timestamp}.".encode(errors="replace") + body
    secret = _hmac(drawing.pick((key, key, *_KEYS)), f"secret:{request_id}".encode(errors="surrogatepass"))
    signature = "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    mac, signature = _changed(drawing, mac), _changed(drawing, signature)
    body = body if drawing.below(8) else body + drawing.raw(2)
    event = {
        "pathParameters": {"request_id": request_id, "mac": mac},
        "headers": {
            drawing.pick(("x-webhook-timestamp", "X-Webhook-Timestamp")): timestamp,
            drawing.pick(("x-webhook-signature", "X-WEBHOOK-SIGNATURE")): signature,
        },
        **_body(body, drawing),
    }
    for _ in range(drawing.below(4) // 2):
        event[drawing.pick(_FIELDS)] = drawing.value()
    return event


def _changed(drawing: Drawing, text: str) -> str:
    match drawing.below(12):
        case 8:
            return drawing.text()
        case 9:
            return text.upper()
        case 10:
            at = drawing.below(len(text))
            return text[:at] + drawing.text() + text[at + drawing.below(3) :]
        case 11:
            return text[: drawing.below(len(text))]
        case _:
            return text


def _body(body: bytes, drawing: Drawing) -> dict[str, Any]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = None
    if text is None or drawing.flag():
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": drawing.below(16) != 15}
    return {"body": text, "isBase64Encoded": drawing.below(16) == 15}


def _hmac(key: str, text: bytes) -> str:
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def _is_genuine(event: dict[str, Any]) -> bool:
    """Whether the call was made with one of the two keys; written here without the code under test."""
    path, headers = event["pathParameters"], {name.lower(): text for name, text in event["headers"].items()}
    request_id, timestamp = path["request_id"], headers["x-webhook-timestamp"]
    body = base64.b64decode(event["body"]) if event.get("isBase64Encoded") else event["body"].encode()
    signature = headers["x-webhook-signature"]
    for key in _KEYS[:2]:
        secret = _hmac(key, f"secret:{request_id}".encode())
        expected = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
        if path["mac"].lower() == _hmac(key, f"path:{request_id}".encode()):
            is_in_time = int(timestamp) <= time.time() + 300
            return bool(signature[:7] == "sha256=" and signature[7:].lower() == expected and is_in_time)
    return False


def _must_be_accepted(event: dict[str, Any]) -> bool:
    """A genuine call in time that names a task."""
    with suppress(KeyError, TypeError, AttributeError, ValueError):
        return _is_genuine(event) and _is_usual(event)
    return False


def _is_usual(event: dict[str, Any]) -> bool:
    body = base64.b64decode(event["body"], validate=True) if event["isBase64Encoded"] else event["body"].encode()
    headers = {name.lower(): text for name, text in event["headers"].items()}
    age = time.time() - int(headers["x-webhook-timestamp"])
    return event["pathParameters"]["request_id"] in _REQUESTS and body == _BODY and abs(age) <= 290
