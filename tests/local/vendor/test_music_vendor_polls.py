"""The replies of the stand-in to single polls in place of the truth, and the stories of its tasks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.local.vendor import answer as said
from tests.local.vendor import story
from tests.local.vendor.answer import Generation
from tests.local.vendor.client import TITLE, VendorClient
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.vendor.story import PollReply

OLDER, NEWER = Generation.OLDER, Generation.NEWER


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[MusicVendor]:
    with MusicVendor(tmp_path, tokens=["a-known-token"]) as vendor:
        yield vendor


@pytest.fixture
def client(vendor: MusicVendor) -> Iterator[VendorClient]:
    with VendorClient(vendor) as client:
        yield client


@pytest.mark.parametrize(
    ("planned", "generation", "status", "shown"),
    [
        (story.unknown_task(), OLDER, 400, "task not found."),
        (story.unknown_task(), NEWER, 404, "not_found"),
        (story.says("PAUSED"), NEWER, 200, '"status": "PAUSED"'),
        (story.says("paused"), OLDER, 200, '"state": "paused"'),
        (story.rate_limited("7"), NEWER, 429, "rate_limited"),
        (story.refuses(said.INTERNAL_ERROR), NEWER, 500, "internal_error"),
        (story.refuses(said.UNAUTHORIZED), NEWER, 401, "unauthorized"),
        (story.html_page(), NEWER, 200, "<!doctype html>"),
        (story.answers(said.json_answer({"status": "SUCCESS"})), NEWER, 200, '{"status": "SUCCESS"}'),
    ],
)
def test_a_poll_gets_the_planned_reply_once_or_always(
    vendor: MusicVendor,
    client: VendorClient,
    planned: PollReply,
    generation: Generation,
    status: int,
    shown: str,
) -> None:
    success = story.succeeds(generation=generation)
    vendor.plan_task(TITLE, success.after(planned), success.always(planned))
    once, always = client.task(), client.task()

    first, second = client.poll(once), client.poll(once)

    assert (first.status_code, shown in first.text) == (status, True)
    assert _succeeded(second)
    assert [answer.text for answer in (client.poll(always), client.poll(always), client.poll(always))] == [
        first.text.replace(once, always)
    ] * 3


def test_a_rate_limited_poll_has_a_retry_after(vendor: MusicVendor, client: VendorClient) -> None:
    vendor.plan_task(TITLE, story.succeeds().after(story.rate_limited("7")))

    assert client.poll(client.task()).headers["Retry-After"] == "7"


@pytest.mark.parametrize("generation", Generation)
def test_success_may_come_without_data_at_first(
    vendor: MusicVendor, client: VendorClient, generation: Generation
) -> None:
    vendor.plan_task(TITLE, story.succeeds(polls_without_data=2, generation=generation))
    task_id = client.task()

    answers = [client.poll(task_id).json() for _ in range(3)]

    assert [(answer["message"], len(answer["data"])) for answer in answers] == [
        ("success", 0),
        ("success", 0),
        ("success", 1),
    ]


def test_a_poll_can_hang_or_be_cut(vendor: MusicVendor, client: VendorClient) -> None:
    vendor.plan_task(TITLE, story.succeeds().after(story.hangs(), story.cuts("body"), story.cuts("start")))
    task_id = client.task()

    with pytest.raises(requests.exceptions.ReadTimeout):
        client.poll(task_id, timeout=0.2)
    for _ in range(2):
        with pytest.raises(requests.exceptions.RequestException):
            client.poll(task_id)

    assert _succeeded(client.poll(task_id))


def test_each_task_uses_one_story_and_later_tasks_the_story_for_all(vendor: MusicVendor, client: VendorClient) -> None:
    vendor.generation = NEWER
    vendor.plan_all_tasks(story.never_finishes())
    vendor.plan_task(TITLE, story.succeeds(), story.fails(refunded=True))
    tasks = [client.task() for _ in range(3)]

    assert [client.poll(task_id).json()["status"] for task_id in tasks] == ["SUCCESS", "FAILED", "PENDING"]


def test_a_reset_vendor_has_no_task(vendor: MusicVendor, client: VendorClient) -> None:
    task_id = client.task()
    vendor.plan_task(TITLE, story.never_finishes())

    vendor.reset()

    assert client.poll(task_id).status_code == 404
    assert _succeeded(client.poll(client.task()))


def _succeeded(answer: requests.Response) -> bool:
    return _success(answer) is not None


def _success(answer: requests.Response) -> dict[str, Any] | None:
    payload: dict[str, Any] = answer.json()
    return payload if any(clip["state"] == "succeeded" for clip in payload.get("data", [])) else None
