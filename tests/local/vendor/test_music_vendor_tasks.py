"""The tasks of the stand-in, as polls return them: both generations, every state."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.local.vendor import answer as said
from tests.local.vendor import story
from tests.local.vendor.answer import Generation
from tests.local.vendor.client import SONG, TITLE, VendorClient
from tests.local.vendor.music_vendor import CREDITS_A_SONG, MusicVendor
from tests.local.vendor.story import TaskStory
from tests.local.waiting import wait_for

OLDER, NEWER = Generation.OLDER, Generation.NEWER
CLIP_FIELDS = {
    *("clip_id", "title", "sound", "lyrics", "mv", "seed", "duration", "state", "created_at"),
    *("audio_url", "wav_url", "image_url", "video_url"),
}


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[MusicVendor]:
    with MusicVendor(tmp_path, tokens=["a-known-token"]) as vendor:
        yield vendor


@pytest.fixture
def client(vendor: MusicVendor) -> Iterator[VendorClient]:
    with VendorClient(vendor) as client:
        yield client


@pytest.mark.parametrize("generation", Generation)
def test_a_task_runs_for_its_time_and_then_succeeds(
    vendor: MusicVendor, client: VendorClient, generation: Generation
) -> None:
    vendor.generation = generation
    vendor.task_seconds = 0.5
    task_id = client.task()

    assert not _succeeded(client.poll(task_id))
    answer = wait_for(lambda: _success(client.poll(task_id)), "the song to be done", seconds=30)

    assert (answer["code"], answer["message"], len(answer["data"])) == (200, "success", 1)
    assert answer.get("status") == (None if generation is OLDER else "SUCCESS")
    assert len(vendor.polls_of(TITLE)) >= 2


def test_the_older_generation_has_four_forms_of_not_yet(vendor: MusicVendor, client: VendorClient) -> None:
    vendor.plan_task(TITLE, story.never_finishes(OLDER))
    task_id = client.task()

    answers = [client.poll(task_id) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [202, 200, 200, 200, 202]
    assert [(answer.json()["code"], answer.json().get("type")) for answer in answers[:2]] == [(202, "not_ready")] * 2
    assert [[clip["state"] for clip in answer.json()["data"]] for answer in answers[2:4]] == [["pending"], ["running"]]


def test_the_newer_generation_is_pending_and_then_running(vendor: MusicVendor, client: VendorClient) -> None:
    vendor.plan_task(TITLE, story.never_finishes(NEWER))
    task_id = client.task()

    assert [client.poll(task_id).json() for _ in range(3)] == [
        {"status": "PENDING", "data": []},
        {"status": "RUNNING", "data": []},
        {"status": "RUNNING", "data": []},
    ]


def test_a_poll_needs_a_token_and_costs_nothing(vendor: MusicVendor, client: VendorClient) -> None:
    task_id = client.task()
    credits_left = vendor.credits

    assert client.poll(task_id).status_code == 200
    assert client.poll(task_id, token="unknown").status_code == 401
    assert vendor.credits == credits_left


@pytest.mark.parametrize(
    ("generation", "status", "text"), [(OLDER, 400, "task not found."), (NEWER, 404, said.NOT_FOUND.text)]
)
def test_a_task_that_was_never_created_is_unknown(
    vendor: MusicVendor, client: VendorClient, generation: Generation, status: int, text: str
) -> None:
    vendor.generation = generation

    answer = client.poll("d8b553d0-cb53-442d-aae8-bba319ab5d65")

    assert (answer.status_code, answer.json()["error"]) == (status, text)


def test_a_clip_repeats_the_prompt_and_has_undocumented_fields(client: VendorClient) -> None:
    clip = client.poll(client.task(seed="42")).json()["data"][0]

    assert set(clip) > CLIP_FIELDS
    assert {name: clip[name] for name in ("lyrics", "sound", "title", "seed", "state")} == {
        "lyrics": SONG["lyrics"],
        "sound": SONG["sound"],
        "title": TITLE,
        "seed": "42",
        "state": "succeeded",
    }


def test_the_duration_has_each_form_in_turn_and_some_fields_are_null(client: VendorClient) -> None:
    clips = [client.poll(client.task()).json()["data"][0] for _ in range(12)]

    assert [type(clip["duration"]) for clip in clips[:4]] == [float, str, type(None), float]
    nulls = [
        [name for name in ("title", "sound", "video_url", "lyrics", "audio_url") if clip[name] is None]
        for clip in clips
    ]
    assert nulls[::3] == [[], ["title"], ["sound"], ["video_url"]]


def test_a_clip_has_the_planned_fields_and_there_may_be_several_clips(
    vendor: MusicVendor, client: VendorClient
) -> None:
    vendor.plan_task(TITLE, story.makes_clip(duration="0.5", mv=None), story.succeeds(clips=2))

    (planned,) = client.poll(client.task()).json()["data"]
    several = client.poll(client.task()).json()["data"]

    assert (planned["duration"], planned["mv"]) == ("0.5", None)
    assert len({clip["clip_id"] for clip in several}) == 2


REFUNDED, NOT_REFUNDED = "have been refunded", "were not refunded"


@pytest.mark.parametrize(
    ("planned", "members", "about_credits"),
    [
        (story.fails(refunded=True, generation=NEWER), {"status": "FAILED", "type": "failed"}, REFUNDED),
        (story.fails(refunded=False, generation=NEWER), {"status": "FAILED", "type": "failed"}, NOT_REFUNDED),
        (story.fails(refunded=None, generation=NEWER), {"status": "FAILED", "type": "failed"}, ""),
        (
            story.fails(refunded=True, code="timeout", generation=NEWER),
            {"status": "FAILED", "type": "timeout"},
            REFUNDED,
        ),
        (story.fails(refunded=True, generation=OLDER), {"code": 200, "type": "failed"}, REFUNDED),
        (story.fails(refunded=False, generation=OLDER), {"code": 200, "type": "failed"}, NOT_REFUNDED),
        (story.fails(refunded=None, code="timeout", generation=OLDER), {"code": 200, "type": "failed"}, "timed out"),
    ],
)
def test_a_failure_has_its_cause_and_a_statement_about_the_credits(
    vendor: MusicVendor,
    client: VendorClient,
    planned: TaskStory,
    members: dict[str, object],
    about_credits: str,
) -> None:
    vendor.plan_task(TITLE, planned)

    answer = client.poll(client.task())

    payload = answer.json()
    message = payload.pop("message")
    assert (answer.status_code, payload) == (200, members)
    assert about_credits in message
    assert ("refunded" in message) == ("refunded" in about_credits)


def test_the_older_generation_may_report_a_failure_only_by_the_state_of_a_clip(
    vendor: MusicVendor, client: VendorClient
) -> None:
    vendor.plan_task(TITLE, story.fails(refunded=None, generation=OLDER))

    payload = client.poll(client.task()).json()

    assert (payload["code"], payload["message"], payload["data"][0]["state"]) == (200, "success", "failed")
    assert payload["data"][0]["audio_url"] is None


def test_credits_come_back_only_after_a_failure_with_a_refund(vendor: MusicVendor, client: VendorClient) -> None:
    vendor.plan_task(TITLE, *(story.fails(refunded=refunded) for refunded in (True, False, None)))
    before = vendor.credits

    for _ in range(4):
        client.task()

    wait_for(lambda: vendor.credits == before - 3 * CREDITS_A_SONG, "one song's credits to come back", seconds=30)


def test_a_task_has_one_generation_and_the_next_task_the_other(client: VendorClient) -> None:
    tasks = [client.task(), client.task()]

    assert [["status" in client.poll(task_id).json() for _ in range(2)] for task_id in tasks] == [
        [False] * 2,
        [True] * 2,
    ]


def _succeeded(answer: requests.Response) -> bool:
    return _success(answer) is not None


def _success(answer: requests.Response) -> dict[str, Any] | None:
    payload: dict[str, Any] = answer.json()
    return payload if any(clip["state"] == "succeeded" for clip in payload.get("data", [])) else None
