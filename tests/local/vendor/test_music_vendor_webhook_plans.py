"""Whether and when the stand-in sends a webhook: lost, doubled, late, early, held."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.local.vendor import behaviour, webhook
from tests.local.vendor.behaviour import Behaviour
from tests.local.vendor.client import TITLE, VendorClient
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.vendor.server import Request
from tests.local.vendor.webhook import WebhookPlan
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


@pytest.mark.parametrize(("planned", "copies"), [(webhook.delivered(), 1), (webhook.lost(), 0), (webhook.doubled(), 2)])
def test_a_webhook_is_delivered_lost_or_doubled(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient, planned: WebhookPlan, copies: int
) -> None:
    vendor.plan_webhook(TITLE, planned)
    client.create()
    # A webhook that was not lost would be sent before this one.
    client.create(title="Afterwards")
    vendor.wait_for(lambda: vendor.webhooks_of("Afterwards"), timeout=30)

    arrived = [request for request in receiver.wait_for(copies + 1) if TITLE.encode() in request.body]

    assert len(arrived) == copies
    assert len({request.headers["x-webhook-id"] for request in arrived}) == min(copies, 1)
    assert len(vendor.webhooks_of(TITLE)) == min(copies, 1)


def test_a_late_webhook_is_sent_after_polls_show_the_end(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient
) -> None:
    vendor.plan_webhook(TITLE, webhook.late(0.3))
    client.create()
    answered_at = time.monotonic()

    (request,) = receiver.wait_for(1)

    assert 0.2 < request.at - answered_at < 3


def test_a_task_that_takes_time_sends_its_webhook_when_it_ends(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient
) -> None:
    vendor.task_seconds = 0.3
    client.create()

    (request,) = receiver.wait_for(1)

    assert request.at - vendor.creates[0].at > 0.3


@pytest.mark.parametrize(("planned", "is_answered"), [(webhook.delivered(), True), (webhook.early(), False)])
def test_an_early_webhook_is_sent_before_the_answer_to_the_create_and_every_other_after_it(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient, planned: WebhookPlan, *, is_answered: bool
) -> None:
    vendor.plan_webhook(TITLE, planned)
    seen: list[bool] = []

    def answer(_: Request) -> int:
        seen.extend(create.answered for create in vendor.creates)
        return 200

    receiver.answer = answer
    client.create()

    receiver.wait_for(1)

    assert seen == [is_answered]


def test_with_an_early_webhook_the_task_has_ended(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient
) -> None:
    vendor.task_seconds = 600
    vendor.plan_webhook(TITLE, webhook.early())

    answer = client.poll(client.task())

    assert answer.json()["data"][0]["state"] == "succeeded"
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "lost_answer",
    [
        behaviour.hang(creates=True),
        behaviour.cut("start", creates=True),
        behaviour.cut("body", reset=False, creates=True),
    ],
)
def test_a_create_whose_answer_is_lost_still_has_its_webhook(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient, lost_answer: Behaviour
) -> None:
    vendor.plan(TITLE, lost_answer)
    with pytest.raises(requests.exceptions.RequestException):
        client.create(timeout=0.3)

    (request,) = receiver.wait_for(1)

    assert json.loads(request.body)["task_id"] == vendor.creates[0].task_id


def test_a_create_whose_client_disconnects_during_the_answer_still_has_its_webhook(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient
) -> None:
    vendor.plan(TITLE, behaviour.drip("body", interval=0.05))
    client.create(stream=True).close()

    receiver.wait_for(1)

    assert [create.answered for create in vendor.creates] == [False]


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_held_webhook_waits_for_its_release_and_for_the_end_of_its_task(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient, seconds: float
) -> None:
    vendor.task_seconds = seconds
    vendor.plan_webhook(TITLE, webhook.held(), webhook.held())
    client.create()
    client.create(title="Afterwards")
    receiver.wait_for(1)
    assert not vendor.webhooks_of(TITLE)

    vendor.release_webhooks(TITLE)

    receiver.wait_for(2)
    assert len(vendor.webhooks_of(TITLE)) == 1


def test_a_webhook_may_be_released_before_its_task_ends(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient
) -> None:
    vendor.task_seconds = 0.3
    vendor.plan_webhook(TITLE, webhook.held())
    # When the hook runs, the create is in the record, and its answer is not sent.
    vendor.on_create(TITLE, lambda _: vendor.release_webhooks(TITLE))
    client.create()

    (request,) = receiver.wait_for(1)

    assert request.at - vendor.creates[0].at > 0.3


def test_a_reset_vendor_sends_no_earlier_webhook(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient
) -> None:
    vendor.plan_webhook(TITLE, webhook.late(0.2), webhook.held())
    client.create()
    client.create()

    vendor.reset()

    vendor.plan_webhook("Afterwards", webhook.late(0.4))
    client.create(title="Afterwards")
    vendor.release_webhooks(TITLE)
    receiver.wait_for(1)
    assert [sent.title for sent in vendor.webhooks] == ["Afterwards"]
    assert len(receiver.received) == 1
