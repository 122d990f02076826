"""Our webhook: how its address and secret follow from one key, and which calls to it are taken."""

import hashlib
import hmac
import itertools
import json
import time
from dataclasses import replace

import pytest

from song_intake.aws.signing_key import SigningKey
from song_intake.contract.song_request import SongRequest
from song_intake.music_api.webhook import with_webhook
from song_intake.music_api.webhook_call import (
    LARGEST_BODY_BYTES,
    TIMESTAMP_TOLERANCE_SECONDS,
    WebhookCall,
    WebhookHint,
    hint_of,
    key_of,
)
from tests.local.webhooks.call import SIGNATURE, TIMESTAMP, Genuine, unix_time
from tests.local.webhooks.call import WebhookCall as SentCall
from tests.local.webhooks.event import lambda_event
from tests.local.webhooks.forgery import KINDS, forgeries

CURRENT, PREVIOUS, OLDEST = (SigningKey.of(f"key-{number}") for number in (3, 2, 1))
KEYS = (CURRENT, PREVIOUS)
REQUEST_ID = "order-1042:song-1"
TASK_ID = "d8b553d0-cb53-442d-aae8-bba319ab5d65"
BODY = json.dumps({"code": 200, "task_id": TASK_ID, "event": "song.completed", "data": []}).encode()


def genuine(key: SigningKey = CURRENT, request_id: str = REQUEST_ID) -> Genuine:
    return Genuine(request_id, key.path_mac(request_id), key.secret(request_id), BODY)


def call_of(sent: SentCall) -> WebhookCall | None:
    """The call as it arrives, or None where the gateway has no route for it."""
    event = lambda_event(sent)
    if event is None:
        return None
    path = event["pathParameters"]
    assert isinstance(path, dict)
    headers = {name.lower(): value.decode("latin-1") for name, value in sent.headers.items()}
    return WebhookCall(path["request_id"], path["mac"], headers, sent.body)


def hint_in(call: WebhookCall | None) -> WebhookHint | None:
    key = key_of(call, KEYS) if call else None
    return hint_of(call, key) if call and key else None


def taken(call: WebhookCall | None) -> str | None:
    """The task that the call is taken to name."""
    hint = hint_in(call)
    return hint.task_id if hint else None


def test_address_and_secret_follow_from_the_key_as_documented() -> None:
    def of(text: str) -> str:
        return hmac.new(b"key-3", text.encode(), hashlib.sha256).hexdigest()

    assert CURRENT.path_mac(REQUEST_ID) == of(f"path:{REQUEST_ID}")
    assert CURRENT.secret(REQUEST_ID) == of(f"secret:{REQUEST_ID}")


def test_every_key_request_and_purpose_has_a_mac_of_its_own() -> None:
    macs = [
        make(key, request_id)
        for make, key, request_id in itertools.product(
            (SigningKey.path_mac, SigningKey.secret), (CURRENT, PREVIOUS), ("a", "b")
        )
    ]
    assert len(set(macs)) == 8


def test_a_key_does_not_show_itself() -> None:
    assert "key-3" not in repr(CURRENT)


def test_the_create_body_gets_both_and_keeps_the_rest_byte_for_byte() -> None:
    request = SongRequest.parse(json.dumps({"sound": "été", "seed": "7", "weirdness": 0.5}), REQUEST_ID)
    sent = json.loads(with_webhook(request.create_body, REQUEST_ID, "https://hooks.example", CURRENT))
    assert sent.pop("webhook_url") == f"https://hooks.example/{REQUEST_ID}/{CURRENT.path_mac(REQUEST_ID)}"
    assert sent.pop("webhook_secret") == CURRENT.secret(REQUEST_ID)
    assert SongRequest.parse(json.dumps(sent), REQUEST_ID).create_body == request.create_body


@pytest.mark.parametrize("key", KEYS, ids=["current", "previous"])
def test_a_genuine_call_under_either_key_names_its_task(key: SigningKey) -> None:
    call = call_of(genuine(key).call())
    assert call is not None
    assert key_of(call, KEYS) == key
    assert taken(call) == TASK_ID


def test_a_key_that_was_rotated_out_opens_nothing() -> None:
    call = call_of(genuine(OLDEST).call())
    assert call is not None
    assert key_of(call, KEYS) is None


def test_the_address_under_one_key_does_not_go_with_the_secret_of_the_other() -> None:
    mixed = Genuine(REQUEST_ID, PREVIOUS.path_mac(REQUEST_ID), CURRENT.secret(REQUEST_ID), BODY)
    assert taken(call_of(mixed.call())) is None


def test_a_failed_song_names_its_task_as_well() -> None:
    body = json.dumps({"type": "failed", "message": "no", "refund_processed": True, "task_id": TASK_ID}).encode()
    assert taken(call_of(genuine().call(body=body))) == TASK_ID


@pytest.mark.parametrize(
    ("age", "hint"),
    [
        (0, WebhookHint(TASK_ID, is_late=False)),
        (TIMESTAMP_TOLERANCE_SECONDS, WebhookHint(TASK_ID, is_late=False)),
        (-TIMESTAMP_TOLERANCE_SECONDS, WebhookHint(TASK_ID, is_late=False)),
        (TIMESTAMP_TOLERANCE_SECONDS + 1, WebhookHint(TASK_ID, is_late=True)),
        (1_600_000_000, WebhookHint(TASK_ID, is_late=True)),
        (-TIMESTAMP_TOLERANCE_SECONDS - 1, None),
    ],
)
def test_a_call_is_late_after_five_minutes_and_refused_more_than_five_minutes_ahead(
    monkeypatch: pytest.MonkeyPatch, age: int, hint: WebhookHint | None
) -> None:
    call = call_of(genuine().call(timestamp=b"1700000000"))
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0 + age)
    assert hint_in(call) == hint


@pytest.mark.parametrize(
    ("body", "task_id"),
    [
        pytest.param(BODY.replace(b"200", b"NaN"), TASK_ID, id="NaN"),
        pytest.param(BODY.replace(b'"data"', rb'"title": "\ud83d", "data"'), TASK_ID, id="half a surrogate"),
        pytest.param(BODY.replace(b'"data"', b'"code": 200, "data"'), TASK_ID, id="a key twice"),
        pytest.param(b"\xef\xbb\xbf" + BODY, TASK_ID, id="a byte order mark"),
        pytest.param(BODY.replace(b'"data"', b'"title": "\xe9t\xe9", "data"'), TASK_ID, id="Latin-1"),
        pytest.param(BODY.replace(b"[]", b"[" * 40 + b"]" * 40), TASK_ID, id="40 levels"),
        pytest.param(b'{"task_id": 4711}', "4711", id="an integer"),
        pytest.param(b'{"data": {"task_id": "task-1"}}', "task-1", id="under data"),
        pytest.param(b'{"data": {"task_id": 4711}}', "4711", id="an integer under data"),
        pytest.param(b'{"data": [{"task_id": "task-1"}]}', "task-1", id="in the first of data"),
        pytest.param(b'{"task_id": null, "data": {"task_id": "task-1"}}', "task-1", id="null, and under data"),
        pytest.param(b'{"data": []}', None, id="no task"),
        pytest.param(b'{"data": "task-1"}', None, id="data is a text"),
        pytest.param(b'[{"task_id": "task-1"}]', None, id="an array"),
    ],
)
def test_the_body_of_an_authentic_call_is_read_generously(body: bytes, task_id: str | None) -> None:
    assert taken(call_of(genuine().call(body=body))) == task_id


def test_hexadecimal_digits_may_be_upper_case_and_the_scheme_may_not() -> None:
    sent = genuine().call()
    scheme, digest = sent.headers[SIGNATURE].split(b"=")
    assert taken(call_of(sent.with_header(SIGNATURE, scheme + b"=" + digest.upper()))) == TASK_ID
    assert taken(call_of(sent.with_header(SIGNATURE, scheme.upper() + b"=" + digest))) is None
    call = call_of(sent)
    assert call is not None
    assert taken(replace(call, mac=call.mac.upper())) == TASK_ID


@pytest.mark.parametrize("size", [LARGEST_BODY_BYTES, LARGEST_BODY_BYTES + 1])
def test_a_body_is_read_up_to_its_cap(size: int) -> None:
    body = BODY[:-1] + b" " * (size - len(BODY)) + b"}"
    assert len(body) == size
    assert (taken(call_of(genuine().call(body=body))) is not None) == (size == LARGEST_BODY_BYTES)


def test_none_of_five_hundred_forgeries_is_taken() -> None:
    assert taken(call_of(genuine().call())) == TASK_ID
    assert [sent.name for sent in forgeries(genuine()) if taken(call_of(sent)) is not None] == []


@pytest.mark.parametrize("header", [TIMESTAMP, SIGNATURE])
@pytest.mark.parametrize("value", [b"", b"\xe9\xff", "été".encode(), b"\xed\xa0\x80", b"9" * 5000, b"\x00"])
def test_a_header_of_whatever_bytes_is_refused_and_breaks_nothing(header: str, value: bytes) -> None:
    assert taken(call_of(genuine().call().with_header(header, value))) is None


@pytest.mark.parametrize("mac", ["", "é" * 64, "\ud800", "\udcff" * 64, "世界", "0" * 10_000])
def test_a_mac_of_whatever_text_is_refused_and_breaks_nothing(mac: str) -> None:
    call = call_of(genuine().call())
    assert call is not None
    assert key_of(replace(call, mac=mac), KEYS) is None


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    """Every pair that was compared in constant time, and nothing is compared in another way."""
    pairs: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def record(one: bytes, other: bytes) -> bool:
        pairs.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", record)
    return pairs


@pytest.mark.parametrize("key", [*KEYS, OLDEST], ids=["current", "previous", "rotated out"])
def test_every_key_is_tried_whatever_the_first_says(compared: list[tuple[bytes, bytes]], key: SigningKey) -> None:
    call = call_of(genuine(key).call())
    assert call is not None
    key_of(call, KEYS)
    assert [expected for expected, _ in compared] == [one.path_mac(REQUEST_ID).encode() for one in KEYS]


def test_a_signature_is_compared_in_constant_time_even_if_the_time_is_wrong(
    compared: list[tuple[bytes, bytes]],
) -> None:
    sent = genuine().call(timestamp=unix_time(9e11))
    call = call_of(sent)
    assert call is not None
    assert hint_of(call, CURRENT) is None
    assert (sent.headers[SIGNATURE], sent.headers[SIGNATURE]) in compared


def test_a_call_shows_neither_headers_nor_body() -> None:
    call = call_of(genuine().call())
    assert TASK_ID not in repr(call)
    assert "sha256=" not in repr(call)


def test_the_forgeries_reach_the_code_that_is_tested() -> None:
    """Most kinds have a route: the others the gateway answers itself."""
    assert sum(call_of(sent) is not None for sent in forgeries(genuine(), count=len(KINDS))) > 0.8 * len(KINDS)
