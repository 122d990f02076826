"""A request in doubt waits for our webhook, if one may come, on real parts."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from song_intake.music_api.webhook import WebhookConfig
from song_intake.work.batch import Batch
from tests.integration.bench import ENDPOINT, Bench, plenty_of_time, record_of, song
from tests.integration.decisions import TITLE, abandon
from tests.integration.handling import failed
from tests.local.vendor import behaviour
from tests.signing import SIGNING_KEY

WINDOW = 900.0


def stays(batch: Batch, request_id: str, message_id: str = "message-1", **fields: object) -> bool:
    """Whether the message is still on its queue after one delivery."""
    record = record_of(song(TITLE, request_id, **fields), message_id=message_id)
    return bool(failed(batch.handle([record], plenty_of_time)))


def events_of(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    return [(event["detail-type"], event["detail"]) for event in bench.bus.events()]


@pytest.fixture
def our_webhook(bench: Bench) -> WebhookConfig:
    return bench.webhook(WINDOW)


@pytest.fixture
def waiting(bench: Bench, our_webhook: WebhookConfig) -> Batch:
    """A batch whose requests our webhook may settle."""
    return bench.batch(bench.submission(webhook=our_webhook))


def test_a_create_has_our_webhook_and_its_row_has_none_of_its_secrets(
    bench: Bench, waiting: Batch, our_webhook: WebhookConfig, request_id: str
) -> None:
    assert not stays(waiting, request_id)
    (sent,) = bench.vendor.requests
    body = json.loads(sent.body)
    key = our_webhook.keys.current_first()[0]
    assert key.key == SIGNING_KEY.encode()
    assert body["webhook_url"] == f"{ENDPOINT}/{request_id}/{key.path_mac(request_id)}"
    assert body["webhook_secret"] == key.secret(request_id)
    assert body["webhook_secret"] not in repr(bench.item(request_id)) + bench.log.getvalue()


def test_a_duplicate_is_recognized_although_our_webhook_was_switched_on_in_between(
    bench: Bench, batch: Batch, waiting: Batch, request_id: str
) -> None:
    """The URL of the webhook is not part of the request's fingerprint."""
    assert not stays(batch, request_id)
    assert not stays(waiting, request_id, "message-2")
    assert bench.letters() == []


def test_without_the_webhook_key_nothing_is_claimed(bench: Bench, waiting: Batch, request_id: str) -> None:
    bench.secrets.delete_secret(SecretId=bench.signing_key_id, ForceDeleteWithoutRecovery=True)
    assert stays(waiting, request_id)
    assert bench.lines()[-1]["reason"] == "SIGNING_KEY_UNAVAILABLE"
    assert (bench.row(request_id), bench.vendor.requests) == ({}, ())


def test_a_request_in_doubt_waits_for_the_webhook_and_is_dead_lettered_after_the_window(
    bench: Bench, waiting: Batch, request_id: str, an_hour_passes: Callable[[], None]
) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    began = time.time()
    for _ in range(2):
        assert stays(waiting, request_id)
    first, again = bench.lines()
    assert (first["reason"], again["reason"]) == ("AWAITING_WEBHOOK", "AWAITING_WEBHOOK")
    assert WINDOW <= first["retry_in_seconds"] <= WINDOW + 1
    assert WINDOW - 30 < again["retry_in_seconds"] <= WINDOW + 1
    row = bench.row(request_id)
    assert (row["status"], row["doubt"]) == ("IN_DOUBT", "IN_DOUBT")
    assert began + WINDOW <= float(row["doubt_until"]) <= time.time() + WINDOW
    assert (bench.letters(), bench.bus.events()) == ([], [])

    an_hour_passes()
    assert not stays(waiting, request_id)
    (letter,) = bench.letters()
    assert letter.attributes["reason"] == "OUTCOME_UNKNOWN"
    assert [kind for kind, _ in events_of(bench)] == ["Song In Doubt"]
    assert len(bench.vendor.requests) == 1


def test_a_claim_whose_function_crashed_waits_for_the_webhook_too(
    bench: Bench, waiting: Batch, request_id: str, an_hour_passes: Callable[[], None]
) -> None:
    abandon(bench, request_id)
    an_hour_passes()
    assert stays(waiting, request_id)
    assert bench.lines()[-1]["reason"] == "AWAITING_WEBHOOK"
    assert float(bench.row(request_id)["doubt_until"]) >= time.time() + WINDOW - 1


@pytest.mark.parametrize(
    ("window", "fields"),
    [
        pytest.param(None, {}, id="switched off"),
        pytest.param(0.0, {}, id="without a window"),
        pytest.param(WINDOW, {"webhook_url": "https://caller.example/"}, id="the caller's own"),
    ],
)
def test_a_request_in_doubt_without_our_webhook_is_dead_lettered_at_once(
    bench: Bench, request_id: str, window: float | None, fields: dict[str, str]
) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    batch = bench.batch(bench.submission(webhook=None if window is None else bench.webhook(window)))
    assert not stays(batch, request_id, **fields)
    (letter,) = bench.letters()
    assert letter.attributes["reason"] == "OUTCOME_UNKNOWN"


def test_a_callers_own_webhook_is_sent_unchanged(bench: Bench, waiting: Batch, request_id: str) -> None:
    own = {"webhook_url": "https://caller.example/hook", "webhook_secret": "theirs"}
    assert not stays(waiting, request_id, **own)
    (sent,) = bench.vendor.requests
    assert {name: json.loads(sent.body)[name] for name in own} == own


@pytest.mark.parametrize("request_id", [".", ".."])
def test_an_id_that_cannot_be_part_of_a_url_gets_no_webhook(bench: Bench, waiting: Batch, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    assert not stays(waiting, request_id)
    (sent,) = bench.vendor.requests
    assert "webhook_url" not in json.loads(sent.body)
    assert len(bench.letters()) == 1
