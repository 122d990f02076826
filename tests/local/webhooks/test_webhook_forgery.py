"""The forged webhooks: a strict receiver accepts none of them, and each lenient receiver accepts at least one."""

import base64
import contextlib
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.local.webhooks.call import SIGNATURE, Genuine, WebhookCall
from tests.local.webhooks.event import lambda_event
from tests.local.webhooks.forgery import KINDS, forgeries
from tests.local.webhooks.receiver import WebhookReceiver
from tests.local.webhooks.transport import Destination

MAC = hashlib.sha256(b"path").hexdigest()
SECRET = hashlib.sha256(b"secret").hexdigest()
TASK_ID = "d8b553d0-cb53-442d-aae8-bba319ab5d65"
BODY = json.dumps(
    {"code": 200, "task_id": TASK_ID, "event": "song.completed", "data": [{"lyrics": "été"}]}, ensure_ascii=False
)
GENUINE = Genuine("song:1", MAC, SECRET, BODY.encode())


@dataclass(frozen=True, slots=True)
class Got:
    """A call as a receiver gets it; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def timestamp(self) -> str:
        return self.headers.get("x-webhook-timestamp", "")

    @property
    def signature(self) -> str:
        return self.headers.get("x-webhook-signature", "")


Check = Callable[[Got], bool]


def is_mine(got: Got) -> bool:
    return got.method == "POST" and [unquote(part) for part in got.path.split("/")] == ["", "song:1", MAC]


def is_fresh(got: Got) -> bool:
    return bool(re.fullmatch("[0-9]{1,12}", got.timestamp)) and abs(time.time() - int(got.timestamp)) <= 300


def is_signed(got: Got) -> bool:
    return got.signature == _right_signature(got)


def names_a_task(got: Got) -> bool:
    task_id = _object(got.body).get("task_id")
    is_task_id = isinstance(task_id, str) and bool(re.fullmatch(r"[\x21-\x7e]{1,256}", task_id))
    return is_task_id and len(got.body) <= 1024 * 1024


STRICT: dict[str, Check] = {"address": is_mine, "time": is_fresh, "signature": is_signed, "body": names_a_task}


def _is_near(got: Got) -> bool:
    with contextlib.suppress(ValueError):
        # Not the same as <= for NaN.
        return not abs(time.time() - float(got.timestamp)) > 300
    return False


def _decoded(got: Got) -> Got:
    encodings = {got.headers.get("content-encoding"), got.headers.get("content-transfer-encoding")}
    return replace(got, body=base64.b64decode(got.body)) if "base64" in encodings else got


def _on_decoded(check: Check) -> Check:
    return lambda got: check(_decoded(got))


def _written_anew(got: Got) -> Got:
    return replace(got, body=json.dumps(_object(got.body), ensure_ascii=False).encode())


LENIENT: dict[str, dict[str, Check]] = {
    "accepts any path": {**STRICT, "address": lambda got: got.method == "POST"},
    "accepts any method": {**STRICT, "address": lambda got: is_mine(replace(got, method="POST"))},
    "has no clock": {**STRICT, "time": lambda _: True},
    "reads times as floats": {**STRICT, "time": _is_near},
    "requires no time": {**STRICT, "time": lambda got: not got.timestamp or is_fresh(got)},
    "accepts the older scheme": {
        **STRICT,
        "signature": lambda got: is_signed(got) or got.headers.get("x-signature") == _signature(got.body),
    },
    "accepts any case": {**STRICT, "signature": lambda got: got.signature.lower() == _right_signature(got)},
    "accepts unsigned calls": {**STRICT, "signature": lambda got: not got.signature or is_signed(got)},
    "compares only a prefix": {
        **STRICT,
        "signature": lambda got: _right_signature(got).startswith(got.signature),
    },
    "searches the signature": {**STRICT, "signature": lambda got: _right_signature(got) in got.signature},
    "verifies what it parsed": {**STRICT, "signature": lambda got: is_signed(_written_anew(got))},
    "decodes first": {name: _on_decoded(check) for name, check in STRICT.items()},
    "accepts any object": {**STRICT, "body": lambda got: bool(_object(got.body))},
    "accepts any text": {**STRICT, "body": lambda _: True},
}


def test_there_are_five_hundred_forgeries_of_every_kind_and_each_seed_has_its_own() -> None:
    calls = list(forgeries(GENUINE))

    assert len({call.name for call in calls}) == 500
    assert {call.name.partition(" ")[2] for call in calls} == set(KINDS)
    authentic = sum(call.is_authentic for call in calls)
    assert 50 < authentic < 200
    assert _bodies(forgeries(GENUINE, seed=1)) == _bodies(forgeries(GENUINE, seed=1)) != _bodies(calls)


def test_a_strict_receiver_accepts_the_genuine_webhook_and_no_forgery() -> None:
    assert _accepts(STRICT, GENUINE.call())

    assert [call.name for call in forgeries(GENUINE) if _accepts(STRICT, call)] == []


def test_only_the_body_of_an_authentic_forgery_is_wrong() -> None:
    all_but_body = {name: check for name, check in STRICT.items() if name != "body"}

    for call in forgeries(GENUINE, count=len(KINDS)):
        assert _accepts(all_but_body, call) == call.is_authentic, call.name


@pytest.mark.parametrize("lenience", LENIENT)
def test_a_lenient_receiver_accepts_a_forgery(lenience: str) -> None:
    assert _accepts(LENIENT[lenience], GENUINE.call())

    assert any(_accepts(LENIENT[lenience], call) for call in forgeries(GENUINE, count=len(KINDS)))


def test_forgeries_arrive_unchanged(tmp_path: Path) -> None:
    sent = [call for call in forgeries(GENUINE, count=len(KINDS)) if call.method in {"POST", "GET"}]

    with WebhookReceiver(tmp_path) as receiver:
        destination = Destination(receiver.port, "an.api.example", "/", ca_bundle=receiver.ca_bundle)
        for call in sent:
            call.send(destination)

    arrived = [(request.method, request.path, request.body) for request in receiver.received]
    assert arrived == [(call.method, call.path, call.body) for call in sent]
    signatures = [request.headers.get(SIGNATURE.lower()) for request in receiver.received]
    assert signatures == [_text(call.headers.get(SIGNATURE)) for call in sent]


def test_a_call_reaches_a_function_as_the_gateway_would_pass_it() -> None:
    event = lambda_event(GENUINE.call())
    assert event is not None
    assert event["pathParameters"] == {"request_id": "song:1", "mac": MAC}
    assert (event["body"], event["isBase64Encoded"]) == (BODY, False)

    no_text = lambda_event(replace(GENUINE.call(), body=b"\xff"))
    assert no_text is not None
    assert (no_text["body"], no_text["isBase64Encoded"]) == ("/w==", True)

    wrong = lambda_event(GENUINE.call(), lies_about_base64=True)
    assert wrong is not None
    assert (wrong["body"], wrong["isBase64Encoded"]) == (BODY, True)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"/song:1/{MAC}"), ("POST", "/song:1"), ("POST", "/a/b/c"), ("POST", "/")]
)
def test_a_call_without_a_route_reaches_no_function(method: str, path: str) -> None:
    assert lambda_event(replace(GENUINE.call(), method=method, path=path)) is None


def _accepts(checks: Mapping[str, Check], call: WebhookCall) -> bool:
    headers = {name.lower(): value.decode("latin-1") for name, value in call.headers.items()}
    got = Got(call.method, call.path, headers, call.body)
    return all(check(got) for check in checks.values())


def _signature(text: bytes) -> str:
    return "sha256=" + hmac.new(SECRET.encode(), text, "sha256").hexdigest()


def _right_signature(got: Got) -> str:
    return _signature(got.timestamp.encode() + b"." + got.body)


def _object(body: bytes) -> dict[str, object]:
    """The object in the body; an empty one for any other body."""
    with contextlib.suppress(ValueError, RecursionError):
        value: object = json.loads(body.decode())
        return value if isinstance(value, dict) else {}
    return {}


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")


def _bodies(calls: Iterable[WebhookCall]) -> list[bytes]:
    return [call.body for call in calls]
