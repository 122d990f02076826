"""What a call to our webhook comes to, on a real queue and secret, as the gateway would hand it over.

What becomes of the check that it sends stands in test_webhook_hints.py.
"""

import json
import time
from base64 import b64encode
from dataclasses import replace
from typing import cast

import pytest

from song_intake.aws.signing_key import KEYS_KEPT_SECONDS, KEYS_READ_AGAIN_SECONDS, SigningKey, SigningKeys
from song_intake.contract.proof import Proofs
from song_intake.domain.decision import Done
from song_intake.outgoing.checks import SongCheck
from song_intake.work.webhook_endpoint import HttpApiEvent, WebhookEndpoint
from tests.integration import unreachable
from tests.integration.bench import Bench, plenty_of_time, record_of, song
from tests.integration.decisions import TITLE, decide, record
from tests.integration.following import check_batch, look_at_all
from tests.integration.handling import failed
from tests.local.vendor import behaviour
from tests.local.webhooks.call import Genuine, WebhookCall
from tests.local.webhooks.event import lambda_event
from tests.local.webhooks.forgery import forgeries
from tests.signing import PROOFS, SECOND_KEY, SIGNING_KEY

TASK = "task-9"
KEY = SigningKey.of(SIGNING_KEY)


@pytest.fixture
def endpoint(bench: Bench) -> WebhookEndpoint:
    return endpoint_of(bench)


def endpoint_of(bench: Bench, checks_url: str | None = None, key_id: str | None = None) -> WebhookEndpoint:
    keys = SigningKeys(bench.secrets, key_id or bench.signing_key_id)
    # The first check of a song waits; that of a hint does not.
    checks = bench.song_checks(checks_url, first_check=60)
    return WebhookEndpoint(keys, Proofs(keys), checks, bench.telemetry)


def genuine(request_id: str, task_id: str = TASK, key: SigningKey = KEY) -> Genuine:
    body = json.dumps({"code": 200, "task_id": task_id, "event": "song.completed", "data": []})
    return Genuine(request_id, key.path_mac(request_id), key.secret(request_id), body.encode())


def status_of(endpoint: WebhookEndpoint, call: WebhookCall) -> int:
    return endpoint.handle(cast("HttpApiEvent", lambda_event(call)))["statusCode"]


def checks_of(bench: Bench) -> list[SongCheck]:
    return [SongCheck.parse(record["body"]) for record in bench.checks.records()]


def is_signed(check: SongCheck) -> bool:
    assert check.hint is not None
    return PROOFS.is_proved(check.hint, check.request_id, check.task_id, sent_at=time.time())


def test_an_authentic_call_sends_a_check_with_a_signed_hint_at_once(
    bench: Bench, endpoint: WebhookEndpoint, request_id: str
) -> None:
    assert status_of(endpoint, genuine(request_id).call()) == 200
    (check,) = checks_of(bench)
    assert (check.request_id, check.task_id, check.unknown_since) == (request_id, TASK, None)
    assert time.time() - 60 < check.since <= time.time()
    assert check.hint is not None
    assert (is_signed(check), check.hint.is_late) == (True, False)
    (line,) = bench.lines()
    assert (line["action"], line["http_status"], line["request_id"]) == ("webhook", 200, request_id)


def test_each_call_sends_a_hint_of_its_own(bench: Bench, endpoint: WebhookEndpoint, request_id: str) -> None:
    call = genuine(request_id).call()
    assert [status_of(endpoint, call) for _ in range(3)] == [200] * 3
    checks = checks_of(bench)
    assert len({check.hint.hint_id for check in checks if check.hint}) == 3
    assert all(is_signed(check) for check in checks)


def test_a_hint_is_signed_for_the_ids_and_the_lateness_of_its_check(
    bench: Bench, endpoint: WebhookEndpoint, request_id: str
) -> None:
    assert status_of(endpoint, genuine(request_id).call()) == 200
    (check,) = checks_of(bench)
    assert check.hint is not None
    changed = [
        replace(check, request_id="another"),
        replace(check, task_id="another"),
        replace(check, hint=replace(check.hint, hint_id="another")),
        replace(check, hint=replace(check.hint, is_late=True)),
        replace(check, hint=replace(check.hint, proof="0" * 64)),
        replace(check, hint=replace(check.hint, proof="\u00e9")),
    ]
    assert [is_signed(other) for other in changed] == [False] * len(changed)


def test_an_address_that_is_not_ours_is_not_found_and_a_wrong_signature_not_authentic(
    bench: Bench, endpoint: WebhookEndpoint, request_id: str
) -> None:
    others = SigningKey.of("another key")
    mixed = Genuine(request_id, KEY.path_mac(request_id), others.secret(request_id), b'{"task_id": "t"}')
    assert status_of(endpoint, genuine(request_id, key=others).call()) == 404
    assert status_of(endpoint, mixed.call()) == 401
    assert checks_of(bench) == []


def test_of_five_hundred_forgeries_none_is_accepted_and_none_breaks_anything(
    bench: Bench, endpoint: WebhookEndpoint, request_id: str
) -> None:
    sent = [call for call in forgeries(genuine(request_id)) if lambda_event(call) is not None]
    assert len(sent) > 400
    answers = {call.name: status_of(endpoint, call) for call in sent}
    assert set(answers.values()) == {401, 404}
    assert checks_of(bench) == []
    assert request_id not in bench.log.getvalue()


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"pathParameters": None, "headers": None, "body": None},
        {"body": "%%%", "isBase64Encoded": True},
        {"body": "\ud800"},
        {"pathParameters": ["a", "b"], "headers": ["x"], "body": 7},
        {"pathParameters": {"request_id": 7, "mac": None}, "headers": {"x-webhook-timestamp": None}},
        {"pathParameters": {"request_id": "a", "mac": "\udcff%"}, "headers": {"X-Webhook-Signature": ["sha256="]}},
    ],
    ids=["empty", "nulls", "no base64", "half a surrogate", "lists", "no texts", "odd texts"],
)
def test_an_event_of_whatever_form_is_answered(endpoint: WebhookEndpoint, event: dict[str, object]) -> None:
    assert endpoint.handle(cast("HttpApiEvent", event))["statusCode"] in (401, 404)


TITLED = json.dumps({"task_id": TASK, "title": "été"}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("signed", "arrives", "status"),
    [
        pytest.param(TITLED.encode(), {"body": TITLED, "isBase64Encoded": False}, 200, id="as a text"),
        pytest.param(
            TITLED.encode(), {"body": b64encode(TITLED.encode()).decode(), "isBase64Encoded": True}, 200, id="in base64"
        ),
        pytest.param(
            TITLED.encode("latin-1"),
            {"body": b64encode(TITLED.encode("latin-1")).decode(), "isBase64Encoded": True},
            200,
            id="Latin-1 in base64",
        ),
        pytest.param(
            TITLED.encode("latin-1"),
            {"body": TITLED.replace("é", "\ufffd"), "isBase64Encoded": False},
            401,
            id="Latin-1, replaced by the gateway",
        ),
    ],
)
def test_the_signature_is_verified_over_the_bytes_that_were_sent(
    bench: Bench, endpoint: WebhookEndpoint, request_id: str, signed: bytes, arrives: dict[str, object], status: int
) -> None:
    event = lambda_event(genuine(request_id).call(body=signed))
    assert event is not None
    assert endpoint.handle(cast("HttpApiEvent", event | arrives))["statusCode"] == status
    assert [check.task_id for check in checks_of(bench)] == [TASK] * (status == 200)


def test_the_previous_key_is_good_after_a_rotation_and_the_one_before_it_is_not(
    bench: Bench, request_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = endpoint_of(bench)
    first = genuine(request_id)
    assert status_of(endpoint, first.call()) == 200

    _rotate(bench, SECOND_KEY)
    second = genuine(request_id, key=SigningKey.of(SECOND_KEY))
    assert status_of(endpoint, second.call()) == 404, "the keys were read a moment ago"
    _let_time_pass(monkeypatch, KEYS_READ_AGAIN_SECONDS)
    assert [status_of(endpoint, each.call()) for each in (first, second)] == [200, 200]

    _rotate(bench, f"{SECOND_KEY}-again")
    _let_time_pass(monkeypatch, KEYS_KEPT_SECONDS)
    assert [status_of(endpoint, each.call()) for each in (first, second)] == [404, 200]


def test_forged_calls_do_not_cause_a_read_each(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = endpoint_of(bench)
    reads: list[object] = []
    bench.secrets.meta.events.register("before-call.secrets-manager.GetSecretValue", lambda **_: reads.append("read"))
    forged = genuine("request-1", key=SigningKey.of("another key"))
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)
    assert {status_of(endpoint, forged.call()) for _ in range(50)} == {404}
    assert len(reads) == 2, "the current key and the previous one"
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0 + KEYS_READ_AGAIN_SECONDS)
    assert {status_of(endpoint, forged.call()) for _ in range(50)} == {404}
    # One less if a busy machine lets the read of the current key time out: the keys in memory serve meanwhile.
    assert len(reads) in {3, 4}


def _let_time_pass(monkeypatch: pytest.MonkeyPatch, passed: float) -> None:
    """The keys in memory are so old, and the calls are still fresh."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + passed + 1)


def _rotate(bench: Bench, key: str) -> None:
    bench.secrets.put_secret_value(SecretId=bench.signing_key_id, SecretString=key)


def test_keys_that_were_read_once_serve_while_the_secret_cannot_be_read(
    bench: Bench, request_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id = bench.secrets.create_secret(Name=f"{bench.table}-short-lived", SecretString=SIGNING_KEY)["ARN"]
    endpoint = endpoint_of(bench, key_id=key_id)
    call = genuine(request_id)
    assert status_of(endpoint, call.call()) == 200
    bench.secrets.delete_secret(SecretId=key_id, ForceDeleteWithoutRecovery=True)
    _let_time_pass(monkeypatch, KEYS_KEPT_SECONDS)
    assert status_of(endpoint, call.call()) == 200


def test_what_cannot_be_done_now_is_to_be_sent_again(bench: Bench, endpoint: WebhookEndpoint, request_id: str) -> None:
    call = genuine(request_id).call()
    no_text = bench.secrets.create_secret(Name=f"{bench.table}-no-text", SecretBinary=b"key")["ARN"]
    assert status_of(endpoint_of(bench, key_id="no-such-secret"), call) == 503
    assert status_of(endpoint_of(bench, key_id=no_text), call) == 503
    assert status_of(endpoint_of(bench, checks_url=unreachable.GONE), call) == 503
    assert [line["reason"] for line in bench.lines()] == ["KeyUnavailable", "KeyUnavailable", "SideEffectFailed"]

    assert status_of(endpoint, call) == 200
    assert [check.task_id for check in checks_of(bench)] == [TASK]


def test_a_lost_answer_is_found_again_by_the_webhook_and_its_song_ends(
    bench: Bench, endpoint: WebhookEndpoint, request_id: str
) -> None:
    """The whole of it: one create, its answer cut, the message waiting, the hint, the poll, the message done."""
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    submission = bench.submission(webhook=bench.webhook(900))
    batch = bench.batch(submission)
    message = record_of(song(TITLE, request_id), message_id="message-1")
    assert failed(batch.handle([message], plenty_of_time)) == {"message-1"}
    (made,) = bench.vendor.creates
    assert status_of(endpoint, genuine(request_id, made.task_id).call()) == 200
    assert look_at_all(bench, check_batch(bench)) == set()
    assert failed(batch.handle([message], plenty_of_time)) == set()
    assert (bench.row(request_id)["status"], len(bench.vendor.creates), bench.letters()) == ("SUCCEEDED", 1, [])
    assert [detail["status"] for detail in bench.bus.details()] == ["SUBMITTED", "SUCCEEDED"]


def test_a_webhook_that_comes_before_the_creates_answer_leaves_one_row_and_one_task(
    bench: Bench, endpoint: WebhookEndpoint, request_id: str
) -> None:
    def early(_: object) -> None:
        (made,) = bench.vendor.creates
        assert status_of(endpoint, genuine(request_id, made.task_id).call()) == 200
        assert look_at_all(bench, check_batch(bench)) == set()

    bench.vendor.on_create(TITLE, early)
    decision = decide(bench.submission(), record(request_id))
    (made,) = bench.vendor.creates
    row = bench.row(request_id)
    assert isinstance(decision, Done)
    assert (row["status"], row["task_id"], "other_task_ids" in row) == ("SUCCEEDED", made.task_id, False)
