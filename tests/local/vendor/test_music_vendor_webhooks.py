"""The webhooks of the stand-in, as a receiver on loopback gets them: contents, signatures, retries."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.vendor import story, webhook
from tests.local.vendor.client import TITLE, VendorClient
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.vendor.story import TaskStory
from tests.local.webhooks.receiver import WebhookReceiver
from tests.local.webhooks.transport import loopback

TOKEN = "a-known-token"
SECRET = "a-secret-of-this-request"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[WebhookReceiver]:
    with WebhookReceiver(tmp_path) as receiver:
        yield receiver


@pytest.fixture
def vendor(tmp_path: Path, receiver: WebhookReceiver) -> Iterator[MusicVendor]:
    with MusicVendor(tmp_path, tokens=[TOKEN]) as vendor:
        vendor.webhook_transport = loopback(receiver.ca_bundle)
        vendor.webhook_retry_delays = (0.02, 0.02, 0.02)
        yield vendor


@pytest.fixture
def client(vendor: MusicVendor, receiver: WebhookReceiver) -> Iterator[VendorClient]:
    with VendorClient(vendor, webhook_url=receiver.url, webhook_secret=SECRET) as client:
        yield client


def test_the_webhook_of_a_song_is_signed_over_its_time_and_its_raw_bytes(
    receiver: WebhookReceiver, client: VendorClient
) -> None:
    task_id = client.task()

    (request,) = receiver.wait_for(1)

    timestamp = request.headers["x-webhook-timestamp"]
    mac = hmac.new(SECRET.encode(), timestamp.encode() + b"." + request.body, hashlib.sha256)
    assert request.headers["x-webhook-signature"] == f"sha256={mac.hexdigest()}"
    assert abs(int(timestamp) - time.time()) < 5
    assert request.headers["x-webhook-event"] == "song.completed"
    assert request.headers["x-webhook-id"] == request.headers["idempotency-key"] != ""
    assert (request.method, request.path, request.headers["content-type"]) == (
        "POST",
        "/song-1/0123abcd",
        "application/json",
    )
    assert "très".encode() in request.body, "not escaped, so a receiver that verifies re-encoded JSON fails"
    payload = json.loads(request.body)
    (clip,) = payload.pop("data")
    assert payload == {
        "code": 200,
        "message": "success",
        "task_id": task_id,
        "platform": "producer",
        "event": "song.completed",
    }
    assert (clip["state"], clip["audio_url"][:8]) == ("succeeded", "https://")


@pytest.mark.parametrize(
    ("planned", "kind", "refund"),
    [
        (story.fails(refunded=True), "failed", {"refund_processed": True}),
        (story.fails(refunded=False, code="timeout"), "timeout", {"refund_processed": False}),
        (story.fails(refunded=None), "failed", {}),
    ],
)
def test_the_webhook_of_a_failure_has_no_code_and_no_data(
    vendor: MusicVendor,
    receiver: WebhookReceiver,
    client: VendorClient,
    planned: TaskStory,
    kind: str,
    refund: dict[str, bool],
) -> None:
    vendor.plan_task(TITLE, planned)
    task_id = client.task()

    (request,) = receiver.wait_for(1)

    payload = json.loads(request.body)
    assert "generation" in payload.pop("message")
    rest = {"type": kind, "task_id": task_id, "platform": "producer", "event": "song.failed"}
    assert payload == {**rest, **refund}
    assert request.headers["x-webhook-event"] == "song.failed"


def test_the_record_holds_each_webhook_with_its_response(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient
) -> None:
    client.create()
    vendor.wait_for(lambda: vendor.webhooks and vendor.webhooks[0].attempts, timeout=30)

    (sent,) = vendor.webhooks_of(TITLE)

    (request,) = receiver.received
    assert (sent.url, sent.body, sent.status, len(sent.attempts), sent.refused) == (
        receiver.url,
        request.body,
        200,
        1,
        None,
    )
    assert {name.lower(): value for name, value in sent.headers.items()}.items() <= request.headers.items()


def test_a_webhook_that_is_not_accepted_is_sent_again_with_the_same_id(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient
) -> None:
    receiver.answer_with(500, 302)
    client.create()

    first, second, third = receiver.wait_for(3)

    vendor.wait_for(lambda: vendor.webhooks[0].status == 200, timeout=30)
    assert [attempt.status for attempt in vendor.webhooks[0].attempts] == [500, 302, 200]
    assert len({request.headers["x-webhook-id"] for request in (first, second, third)}) == 1
    assert first.body == second.body == third.body


def test_a_webhook_is_given_up_after_a_few_attempts(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient
) -> None:
    receiver.refuse_connections()
    client.create()

    vendor.wait_for(lambda: vendor.webhooks and len(vendor.webhooks[0].attempts) == 4, timeout=30)

    (sent,) = vendor.webhooks
    assert {(attempt.status, (attempt.error or "").partition(":")[0]) for attempt in sent.attempts} == {
        (None, "ConnectionRefusedError")
    }


def test_without_a_secret_in_the_create_its_webhook_cannot_be_verified(
    receiver: WebhookReceiver, client: VendorClient
) -> None:
    client.create(webhook_secret=None)

    (request,) = receiver.wait_for(1)

    for secret in ("", "None", "null", TOKEN):
        expected = webhook.signature(secret, request.headers["x-webhook-timestamp"], request.body)
        assert request.headers["x-webhook-signature"] != f"sha256={expected}"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/song-1/0123",
        "https://127.0.0.1@example.com/song-1/0123",
        "https://127.0.0.1.example.com/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://[bad/",
        "https:///no-host",
    ],
)
def test_a_webhook_to_another_machine_is_not_sent_and_is_recorded_as_refused(
    vendor: MusicVendor, client: VendorClient, url: str
) -> None:
    client.create(webhook_url=url)

    vendor.wait_for(lambda: vendor.webhooks, timeout=30)

    (kept,) = vendor.webhooks
    assert (kept.url, kept.attempts, kept.status) == (url, (), None)
    assert kept.refused


def test_a_task_that_never_ends_and_a_create_without_a_webhook_url_send_no_webhook(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient
) -> None:
    vendor.plan_task(TITLE, story.never_finishes(), story.never_finishes())
    vendor.plan_webhook(TITLE, webhook.delivered(), webhook.early())
    client.create()
    client.create()
    client.create(webhook_url=None)
    client.create(title="Afterwards")

    receiver.wait_for(1)

    assert [sent.title for sent in vendor.webhooks] == ["Afterwards"]


def test_closing_the_vendor_leaves_no_thread_and_sends_nothing_more(tmp_path: Path, receiver: WebhookReceiver) -> None:
    before = set(threading.enumerate())
    with MusicVendor(tmp_path, tokens=[TOKEN]) as vendor, VendorClient(vendor, webhook_url=receiver.url) as client:
        vendor.webhook_transport = loopback(receiver.ca_bundle)
        vendor.plan_webhook(TITLE, webhook.late(600))
        client.task()

    assert set(threading.enumerate()) <= before
    assert not receiver.received
