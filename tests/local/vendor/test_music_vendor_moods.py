"""Answers that replace the vendor's, and answers in an odd form: gateway pages, late links, streams, odd webhooks."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.local.vendor import answer as said
from tests.local.vendor import behaviour, story, webhook
from tests.local.vendor.answer import Generation, TaskIdForm
from tests.local.vendor.behaviour import Behaviour
from tests.local.vendor.client import TITLE, VendorClient
from tests.local.vendor.gateway import Route
from tests.local.vendor.music_vendor import CREDITS_A_SONG, MusicVendor
from tests.local.vendor.oddity import LEVELS, Oddity
from tests.local.waiting import wait_for
from tests.local.webhooks.receiver import WebhookReceiver
from tests.local.webhooks.transport import loopback

OLDER, NEWER = Generation.OLDER, Generation.NEWER
SECRET = "a-secret-of-this-request"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[WebhookReceiver]:
    with WebhookReceiver(tmp_path) as receiver:
        yield receiver


@pytest.fixture
def vendor(tmp_path: Path, receiver: WebhookReceiver) -> Iterator[MusicVendor]:
    with MusicVendor(tmp_path, tokens=["a-known-token"]) as vendor:
        vendor.webhook_transport = loopback(receiver.ca_bundle)
        yield vendor


@pytest.fixture
def client(vendor: MusicVendor, receiver: WebhookReceiver) -> Iterator[VendorClient]:
    with VendorClient(vendor, webhook_url=receiver.url, webhook_secret=SECRET) as client:
        yield client


@pytest.mark.parametrize("status", [403, 404, 405, 502])
def test_a_gateway_answers_every_route_in_html_for_so_many_requests(
    vendor: MusicVendor, client: VendorClient, status: int
) -> None:
    task_id = client.task()
    vendor.show_gateway_page(status, answers=3)

    answers = [client.create(), client.poll(task_id), client.balance()]

    assert [_page(answer) for answer in answers] == [status] * 3
    assert len(vendor.creates) == 1
    assert len(vendor.attempts_of(TITLE)) == 2, "the request arrived, and no song was created"
    assert client.create().status_code == 200


def test_a_gateway_answers_until_its_time_is_over(vendor: MusicVendor, client: VendorClient) -> None:
    vendor.show_gateway_page(502, seconds=0.3)
    began = time.monotonic()

    assert _page(client.create()) == 502
    wait_for(lambda: client.create().ok, "the vendor to answer again", seconds=30)

    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("end", [MusicVendor.remove_gateway_pages, MusicVendor.reset])
def test_a_missing_deployment_is_an_html_page_for_one_route_until_it_is_there(
    vendor: MusicVendor, client: VendorClient, end: object
) -> None:
    vendor.show_gateway_page(405, route=Route.CREATE)

    assert [_page(client.create()) for _ in range(2)] == [405, 405]
    assert client.balance().json()["credits"] == vendor.credits
    assert callable(end)
    end(vendor)

    assert client.create().status_code == 200


@pytest.mark.parametrize(
    ("planned", "status", "member"),
    [
        (behaviour.refuses(said.NOT_FOUND), 404, ("type", "not_found")),
        (behaviour.refuses(said.METHOD_NOT_ALLOWED), 405, ("type", "method_not_allowed")),
        (behaviour.refuses(said.ENDPOINT_RETIRED), 410, ("type", "endpoint_retired")),
        (behaviour.refuses_in_200(said.CREDITS_USED_UP), 200, ("code", 403)),
    ],
)
def test_a_create_is_refused_in_the_vendors_own_form(
    vendor: MusicVendor, client: VendorClient, planned: Behaviour, status: int, member: tuple[str, object]
) -> None:
    vendor.plan(TITLE, planned)

    answer = client.create()

    assert answer.status_code == status
    assert member in answer.json().items()
    assert vendor.creates == ()


@pytest.mark.parametrize("creates", [True, False])
def test_a_gateway_page_for_one_create_may_hide_a_song(
    vendor: MusicVendor, client: VendorClient, *, creates: bool
) -> None:
    vendor.plan(TITLE, behaviour.gateway(502, creates=creates))

    assert _page(client.create()) == 502
    assert len(vendor.creates) == int(creates)


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize("form", TaskIdForm)
def test_the_task_id_comes_in_each_form_and_can_be_polled(
    vendor: MusicVendor, client: VendorClient, form: TaskIdForm, generation: Generation
) -> None:
    vendor.generation = generation
    vendor.plan(TITLE, behaviour.task_id_as(form))

    payload = client.create().json()

    task_id = vendor.creates[0].task_id
    forms: dict[TaskIdForm, dict[str, object]] = {
        TaskIdForm.TEXT: {"task_id": task_id},
        TaskIdForm.INTEGER: {"task_id": int(task_id)} if task_id.isdigit() else {},
        TaskIdForm.IN_DATA: {"data": {"task_id": task_id}},
        TaskIdForm.IN_FIRST_OF_DATA: {"data": [{"task_id": task_id}]},
    }
    code = {"code": 200} if generation is OLDER else {}
    assert payload == {**forms[form], **code, "message": "success"}
    assert client.poll(task_id).json()["message"] == "success"


@pytest.mark.parametrize("generation", Generation)
def test_clips_stream_before_they_are_done(vendor: MusicVendor, client: VendorClient, generation: Generation) -> None:
    song = story.succeeds(clips=2, generation=generation)
    vendor.plan_task(TITLE, song.after(story.streaming(), story.streaming(finished=1)))
    task_id = client.task()

    polls = [client.poll(task_id).json() for _ in range(3)]

    assert [[clip["state"] for clip in poll["data"]] for poll in polls] == [
        ["streaming", "streaming"],
        ["succeeded", "streaming"],
        ["succeeded", "succeeded"],
    ]
    assert [poll.get("status") for poll in polls] == [None if generation is OLDER else "SUCCESS"] * 3
    assert [clip["audio_url"].split("/")[2] for clip in polls[1]["data"]] == ["cdn.example", "stream.example"]
    assert polls[1]["data"][1]["clip_id"] == polls[2]["data"][1]["clip_id"]


def test_links_come_after_the_success(vendor: MusicVendor, client: VendorClient) -> None:
    vendor.plan_task(TITLE, story.succeeds().after(story.without_link(), story.without_link("")))
    task_id = client.task()

    clips = [client.poll(task_id).json()["data"][0] for _ in range(3)]

    assert [clip["state"] for clip in clips] == ["succeeded"] * 3
    assert [clip["audio_url"] for clip in clips[:2]] == [None, ""]
    assert clips[2]["audio_url"].startswith("https://")


def test_a_poll_gets_a_gateways_page(vendor: MusicVendor, client: VendorClient) -> None:
    vendor.plan_task(TITLE, story.succeeds().after(story.gateway(404)))

    assert _page(client.poll(client.task())) == 404


def test_a_timeout_is_http_504_and_the_credits_come_back(vendor: MusicVendor, client: VendorClient) -> None:
    vendor.plan_task(TITLE, story.times_out())
    before = vendor.credits

    answer = client.poll(client.task())

    assert answer.status_code == 504
    assert answer.json() == {
        "type": "timeout",
        "error": "Task failed due to timeout. Credits were previously refunded.",
    }
    vendor.wait_for(lambda: len(vendor.creates) == 1, timeout=30)
    wait_for(lambda: vendor.credits == before, f"{CREDITS_A_SONG} credits to come back", seconds=30)


@pytest.mark.parametrize(("generation", "status"), [(OLDER, 400), (NEWER, 404)])
def test_a_task_is_unknown_for_a_while(
    vendor: MusicVendor, client: VendorClient, generation: Generation, status: int
) -> None:
    vendor.plan_task(TITLE, story.succeeds(generation=generation).unknown_for(1.0))
    task_id = client.task()

    first = client.poll(task_id)
    wait_for(lambda: client.poll(task_id).ok, "the task to be known", seconds=30)

    assert first.status_code == status
    assert "type" in first.json()
    assert time.monotonic() - vendor.creates[0].at >= 1.0


@pytest.mark.parametrize("oddity", Oddity)
def test_an_odd_webhook_is_signed_over_its_raw_bytes(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient, oddity: Oddity
) -> None:
    vendor.plan_webhook(TITLE, webhook.odd(oddity))
    client.create()

    (request,) = receiver.wait_for(1)

    mark = {
        Oddity.NAN: b": NaN,",
        Oddity.HALF_A_SURROGATE: rb'"\ud83d"',
        Oddity.KEY_TWICE: b'{"event": "song.odd"',
        Oddity.BYTE_ORDER_MARK: b'\xef\xbb\xbf{"',
        Oddity.LATIN_1_BYTE: b'Andr\xe9"',
        Oddity.DEEP_NESTING: b"[" * LEVELS + b"]" * LEVELS,
        Oddity.INTEGER_TASK_ID: b'"task_id": %s,' % vendor.creates[0].task_id.encode(),
    }[oddity]
    assert mark in request.body
    signed = request.headers["x-webhook-timestamp"].encode() + b"." + request.body
    mac = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert request.headers["x-webhook-signature"] == f"sha256={mac}"
    read = json.loads(request.body.decode("utf-8-sig", errors="replace"))
    assert (str(read["task_id"]), read["event"]) == (vendor.creates[0].task_id, "song.completed")


def test_one_webhook_can_be_odd_in_every_way_and_late(
    vendor: MusicVendor, receiver: WebhookReceiver, client: VendorClient
) -> None:
    vendor.plan_webhook(TITLE, webhook.odd(*Oddity, plan=webhook.held()))
    client.create()
    assert not receiver.received

    vendor.release_webhooks(TITLE)

    (request,) = receiver.wait_for(1)
    assert json.loads(request.body.decode("utf-8-sig", errors="replace"))["task_id"] == int(vendor.creates[0].task_id)


def _page(answer: requests.Response) -> int | None:
    """The status of an answer that is an HTML page, None for any other."""
    is_page = answer.headers["Content-Type"] == "text/html" and answer.text.startswith("<!doctype html>")
    return answer.status_code if is_page else None
