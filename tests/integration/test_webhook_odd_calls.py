"""Authentic webhooks of an odd form, or late: each sends its check, on a real queue and secret."""

import time
from typing import cast

import pytest

from song_intake.aws.signing_key import KEYS_READ_AGAIN_SECONDS, SigningKey
from song_intake.music_api.webhook_call import TIMESTAMP_TOLERANCE_SECONDS
from song_intake.work.webhook_endpoint import HttpApiEvent, WebhookEndpoint
from tests.integration.bench import Bench
from tests.integration.test_webhook_reception import TASK, checks_of, endpoint_of, genuine, is_signed, status_of
from tests.local.webhooks.call import SIGNATURE, TIMESTAMP, WebhookCall, unix_time
from tests.local.webhooks.event import lambda_event
from tests.signing import SECOND_KEY

TASK_ID = b'"task_id": "' + TASK.encode() + b'"'

BODIES = {
    "NaN": b'{"code": NaN, %s}',
    "half a surrogate": rb'{"title": "\ud83d", %s}',
    "a key twice": b'{"title": "a", "title": "b", %s}',
    "a byte order mark": b"\xef\xbb\xbf{%s}",
    "a Latin-1 byte": b'{"title": "\xe9", %s}',
    "40 levels": b'{"data": ' + b"[" * 40 + b"]" * 40 + b", %s}",
    "under data": b'{"data": {%s}}',
}


@pytest.fixture
def endpoint(bench: Bench) -> WebhookEndpoint:
    return endpoint_of(bench)


def late(call: WebhookCall, request_id: str) -> WebhookCall:
    """The same, sent six minutes ago."""
    return genuine(request_id).call(body=call.body, timestamp=unix_time(time.time() - 360))


@pytest.mark.parametrize("form", BODIES)
def test_an_authentic_call_of_any_form_is_accepted(
    bench: Bench, endpoint: WebhookEndpoint, request_id: str, form: str
) -> None:
    body = BODIES[form].replace(b"%s", TASK_ID)
    assert status_of(endpoint, genuine(request_id).call(body=body)) == 200
    assert [check.task_id for check in checks_of(bench)] == [TASK]


def test_a_task_id_may_be_an_integer(bench: Bench, endpoint: WebhookEndpoint, request_id: str) -> None:
    assert status_of(endpoint, genuine(request_id).call(body=b'{"task_id": 4711}')) == 200
    assert [check.task_id for check in checks_of(bench)] == ["4711"]


def test_a_late_call_is_accepted_and_its_hint_says_that_it_is_late(
    bench: Bench, endpoint: WebhookEndpoint, request_id: str
) -> None:
    call = late(genuine(request_id).call(), request_id)
    assert status_of(endpoint, call) == 200
    (check,) = checks_of(bench)
    assert check.hint is not None
    assert (check.hint.is_late, is_signed(check)) == (True, True)


def test_a_call_ahead_of_time_is_refused(bench: Bench, endpoint: WebhookEndpoint, request_id: str) -> None:
    ahead = genuine(request_id).call(timestamp=unix_time(time.time() + TIMESTAMP_TOLERANCE_SECONDS + 60))
    assert (status_of(endpoint, ahead), checks_of(bench)) == (401, [])


def encoded(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


@pytest.mark.parametrize("times", [0, 1], ids=["decoded by the gateway", "as in the request line"])
@pytest.mark.parametrize("mac_in_upper_case", [False, True])
def test_the_address_may_be_encoded_and_its_mac_in_upper_case(
    bench: Bench, endpoint: WebhookEndpoint, request_id: str, times: int, *, mac_in_upper_case: bool
) -> None:
    call = genuine(request_id)
    mac = call.mac.upper() if mac_in_upper_case else call.mac
    event = cast("HttpApiEvent", lambda_event(call.call()))
    texts = {"request_id": call.request_id, "mac": mac}
    event["pathParameters"] = {name: encoded(text) if times else text for name, text in texts.items()}
    assert endpoint.handle(event)["statusCode"] == 200
    assert [check.request_id for check in checks_of(bench)] == [request_id]


def test_a_signature_in_upper_case_is_accepted(endpoint: WebhookEndpoint, request_id: str) -> None:
    call = genuine(request_id).call()
    scheme, digest = call.headers[SIGNATURE].split(b"=")
    assert status_of(endpoint, call.with_header(SIGNATURE, scheme + b"=" + digest.upper())) == 200


@pytest.mark.parametrize("request_id", ["#pace", "a b", "a/b", "é", "a" * 129, "", "%253A"])
def test_an_id_that_no_request_can_have_is_refused_before_anything_is_read(bench: Bench, request_id: str) -> None:
    endpoint = endpoint_of(bench, key_id="no-such-secret")
    event = cast("HttpApiEvent", lambda_event(genuine("request-1").call()))
    event["pathParameters"] = {"request_id": request_id, "mac": genuine(request_id).mac}
    assert endpoint.handle(event)["statusCode"] == 404


def test_a_key_that_was_rotated_a_moment_ago_is_read_before_a_call_is_refused(
    bench: Bench, request_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = endpoint_of(bench)
    others = SigningKey.of("another key")
    assert status_of(endpoint, genuine(request_id, key=others).call()) == 404
    bench.secrets.put_secret_value(SecretId=bench.signing_key_id, SecretString=SECOND_KEY)
    later = time.time() + KEYS_READ_AGAIN_SECONDS
    monkeypatch.setattr(time, "time", lambda: later)
    call = genuine(request_id, key=SigningKey.of(SECOND_KEY)).call()
    assert status_of(endpoint, call) == 200


@pytest.mark.parametrize("value", [b"", b"\xff", b"nan", b"1e9", b"-1", b" 1", b"9" * 400], ids=repr)
@pytest.mark.parametrize("header", [TIMESTAMP, SIGNATURE])
def test_a_header_of_any_value_is_answered(bench: Bench, endpoint: WebhookEndpoint, header: str, value: bytes) -> None:
    call = genuine("request-1").call().with_header(header, value)
    assert status_of(endpoint, call) == 401
