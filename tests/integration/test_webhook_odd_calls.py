"""Authentic webhooks of an odd form, or late: each settles the doubt, on a real table, queue and secret."""

import time
from typing import cast

import pytest

from song_intake.aws.signing_key import KEYS_READ_AGAIN_SECONDS, SigningKey
from song_intake.domain.status import Status
from song_intake.music_api.webhook_call import TIMESTAMP_TOLERANCE_SECONDS
from song_intake.work.webhook_endpoint import HttpApiEvent, WebhookEndpoint
from tests.integration import unreachable
from tests.integration.bench import Bench
from tests.integration.ledger_case import brought_to
from tests.integration.test_webhook_reception import TASK, checks_of, endpoint_of, genuine, status_of
from tests.local.webhooks.call import SIGNATURE, TIMESTAMP, WebhookCall, unix_time
from tests.local.webhooks.event import lambda_event
from tests.signing import SECOND_KEY

S = Status
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
def test_an_authentic_call_of_any_form_settles_the_doubt(bench: Bench, endpoint: WebhookEndpoint, form: str) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    body = BODIES[form].replace(b"%s", TASK_ID)
    assert status_of(endpoint, genuine(case.request.request_id).call(body=body)) == 200
    assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", TASK)
    assert [check.task_id for check in checks_of(bench)] == [TASK]


def test_a_task_id_may_be_an_integer(bench: Bench, endpoint: WebhookEndpoint) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    assert status_of(endpoint, genuine(case.request.request_id).call(body=b'{"task_id": 4711}')) == 200
    assert case.row["task_id"] == "4711"


@pytest.mark.parametrize("start", Status)
def test_a_late_call_counts_only_where_the_outcome_is_unknown(
    bench: Bench, endpoint: WebhookEndpoint, start: Status
) -> None:
    case = brought_to(bench, start)
    request_id = case.request.request_id
    before = case.item
    call = late(genuine(request_id).call(), request_id)
    if start in (S.IN_DOUBT, S.SUBMITTING):
        assert [status_of(endpoint, call) for _ in range(2)] == [200, 200]
        assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", TASK)
        assert [check.task_id for check in checks_of(bench)] == [TASK, TASK]
    else:
        assert status_of(endpoint, call) == 401
        assert (case.item, checks_of(bench)) == (before, [])


def test_a_late_call_of_another_task_is_refused(bench: Bench, endpoint: WebhookEndpoint) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    request_id = case.request.request_id
    assert status_of(endpoint, genuine(request_id).call()) == 200
    other = genuine(request_id, "task-10").call()
    assert status_of(endpoint, late(other, request_id)) == 401
    assert (case.row["task_id"], "other_task_ids" in case.row) == (TASK, False)


def test_a_late_call_whose_check_could_not_be_sent_counts_again(bench: Bench, endpoint: WebhookEndpoint) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    request_id = case.request.request_id
    call = late(genuine(request_id).call(), request_id)
    assert status_of(endpoint_of(bench, checks_url=unreachable.GONE), call) == 503
    assert status_of(endpoint, call) == 200
    assert [check.task_id for check in checks_of(bench)] == [TASK]


def test_a_late_call_for_no_request_and_one_ahead_of_time_are_refused(bench: Bench, endpoint: WebhookEndpoint) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    request_id = case.request.request_id
    ahead = genuine(request_id).call(timestamp=unix_time(time.time() + TIMESTAMP_TOLERANCE_SECONDS + 60))
    assert status_of(endpoint, late(genuine("nobodys").call(), "nobodys")) == 401
    assert status_of(endpoint, ahead) == 401
    assert (bench.item("nobodys"), case.row["status"], checks_of(bench)) == ({}, "IN_DOUBT", [])


def encoded(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


@pytest.mark.parametrize("times", [0, 1], ids=["decoded by the gateway", "as in the request line"])
@pytest.mark.parametrize("mac_in_upper_case", [False, True])
def test_the_address_may_be_encoded_and_its_mac_in_upper_case(
    bench: Bench, endpoint: WebhookEndpoint, times: int, *, mac_in_upper_case: bool
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    call = genuine(case.request.request_id)
    mac = call.mac.upper() if mac_in_upper_case else call.mac
    event = cast("HttpApiEvent", lambda_event(call.call()))
    texts = {"request_id": call.request_id, "mac": mac}
    event["pathParameters"] = {name: encoded(text) if times else text for name, text in texts.items()}
    assert endpoint.handle(event)["statusCode"] == 200
    assert case.row["task_id"] == TASK


def test_a_signature_in_upper_case_is_accepted(bench: Bench, endpoint: WebhookEndpoint) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    call = genuine(case.request.request_id).call()
    scheme, digest = call.headers[SIGNATURE].split(b"=")
    assert status_of(endpoint, call.with_header(SIGNATURE, scheme + b"=" + digest.upper())) == 200


@pytest.mark.parametrize("request_id", ["#pace", "a b", "a/b", "é", "a" * 129, "", "%253A"])
def test_an_id_that_no_request_can_have_is_refused_before_anything_is_read(bench: Bench, request_id: str) -> None:
    endpoint = endpoint_of(bench, key_id="no-such-secret")
    event = cast("HttpApiEvent", lambda_event(genuine("request-1").call()))
    event["pathParameters"] = {"request_id": request_id, "mac": genuine(request_id).mac}
    assert endpoint.handle(event)["statusCode"] == 404


def test_a_key_that_was_rotated_a_moment_ago_is_read_before_a_call_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    endpoint = endpoint_of(bench)
    assert status_of(endpoint, genuine("nobodys").call()) == 404
    bench.secrets.put_secret_value(SecretId=bench.signing_key_id, SecretString=SECOND_KEY)
    later = time.time() + KEYS_READ_AGAIN_SECONDS
    monkeypatch.setattr(time, "time", lambda: later)
    call = genuine(case.request.request_id, key=SigningKey.of(SECOND_KEY)).call()
    assert status_of(endpoint, call) == 200


@pytest.mark.parametrize("value", [b"", b"\xff", b"nan", b"1e9", b"-1", b" 1", b"9" * 400], ids=repr)
@pytest.mark.parametrize("header", [TIMESTAMP, SIGNATURE])
def test_a_header_of_any_value_is_answered(bench: Bench, endpoint: WebhookEndpoint, header: str, value: bytes) -> None:
    call = genuine("request-1").call().with_header(header, value)
    assert status_of(endpoint, call) == 401
