"""What polls hear from the stand-in of the music API: both generations, every state, and whatever was planned."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.local import vendor_answer as said
from tests.local import vendor_story as story
from tests.local.music_vendor import CREDITS_A_SONG, MusicVendor
from tests.local.vendor_answer import Generation
from tests.local.vendor_record import CREATE_PATH, TASK_PATH
from tests.local.vendor_story import PollReply, TaskStory
from tests.local.waiting import wait_for

TOKEN = "a-known-token"
SONG = {"task_type": "create_music", "title": "Night Train", "sound": "slow blues", "lyrics": "[Verse] Wheels"}
OLDER, NEWER = Generation.OLDER, Generation.NEWER
CLIP_FIELDS = {
    *("clip_id", "title", "sound", "lyrics", "mv", "seed", "duration", "state", "created_at"),
    *("audio_url", "wav_url", "image_url", "video_url"),
}


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[MusicVendor]:
    with MusicVendor(tmp_path, tokens=[TOKEN]) as vendor:
        yield vendor


Call = Callable[..., requests.Response]


@pytest.fixture
def call(vendor: MusicVendor) -> Iterator[Call]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(vendor.ca_bundle)

        def call(
            method: str, path: str, body: object = None, token: str = TOKEN, timeout: float = 5
        ) -> requests.Response:
            headers = {"Authorization": f"Bearer {token}"}
            data = None if body is None else json.dumps(body)
            return session.request(method, vendor.origin + path, data=data, headers=headers, timeout=timeout)

        yield call


@pytest.fixture
def create(call: Call) -> Callable[..., str]:
    def create(**fields: object) -> str:
        task_id: str = call("POST", CREATE_PATH, {**SONG, **fields}).json()["task_id"]
        return task_id

    return create


@pytest.fixture
def poll(call: Call) -> Callable[..., requests.Response]:
    def poll(task_id: str, **options: object) -> requests.Response:
        return call("GET", TASK_PATH + task_id, **options)

    return poll


Create = Callable[..., str]
Poll = Callable[..., requests.Response]


@pytest.mark.parametrize("generation", Generation)
def test_a_task_runs_for_its_time_and_then_succeeds(
    vendor: MusicVendor, create: Create, poll: Poll, generation: Generation
) -> None:
    vendor.generation = generation
    vendor.task_seconds = 0.3
    task_id = create()

    assert not _succeeded(poll(task_id))
    answer = wait_for(lambda: _success(poll(task_id)), "the song to be done", seconds=5)

    assert (answer["code"], answer["message"], len(answer["data"])) == (200, "success", 1)
    assert answer.get("status") == (None if generation is OLDER else "SUCCESS")
    assert len(vendor.polls_of("Night Train")) >= 2


def test_the_older_generation_has_four_forms_of_not_yet(vendor: MusicVendor, create: Create, poll: Poll) -> None:
    vendor.plan_task("Night Train", story.never_finishes(OLDER))
    task_id = create()

    answers = [poll(task_id) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [202, 200, 200, 200, 202]
    assert [(answer.json()["code"], answer.json().get("type")) for answer in answers[:2]] == [(202, "not_ready")] * 2
    assert [[clip["state"] for clip in answer.json()["data"]] for answer in answers[2:4]] == [["pending"], ["running"]]


def test_the_newer_generation_is_pending_and_then_running(vendor: MusicVendor, create: Create, poll: Poll) -> None:
    vendor.plan_task("Night Train", story.never_finishes(NEWER))
    task_id = create()

    assert [poll(task_id).json() for _ in range(3)] == [
        {"status": "PENDING", "data": []},
        {"status": "RUNNING", "data": []},
        {"status": "RUNNING", "data": []},
    ]


def test_a_poll_needs_a_token_and_costs_nothing(vendor: MusicVendor, create: Create, poll: Poll) -> None:
    task_id = create()
    credits_left = vendor.credits

    assert poll(task_id).status_code == 200
    assert poll(task_id, token="unknown").status_code == 401
    assert vendor.credits == credits_left


@pytest.mark.parametrize(
    ("generation", "status", "text"), [(OLDER, 400, "task not found."), (NEWER, 404, said.NOT_FOUND.text)]
)
def test_a_task_that_nobody_made_is_unknown(
    vendor: MusicVendor, poll: Poll, generation: Generation, status: int, text: str
) -> None:
    vendor.generation = generation

    answer = poll("d8b553d0-cb53-442d-aae8-bba319ab5d65")

    assert (answer.status_code, answer.json()["error"]) == (status, text)


def test_a_clip_repeats_the_prompt_and_says_more_than_the_pages_list(create: Create, poll: Poll) -> None:
    clip = poll(create(seed="42")).json()["data"][0]

    assert set(clip) > CLIP_FIELDS
    assert {name: clip[name] for name in ("lyrics", "sound", "title", "seed", "state")} == {
        "lyrics": SONG["lyrics"],
        "sound": SONG["sound"],
        "title": "Night Train",
        "seed": "42",
        "state": "succeeded",
    }


def test_the_length_takes_each_form_in_turn_and_fields_are_null_now_and_then(create: Create, poll: Poll) -> None:
    clips = [poll(create()).json()["data"][0] for _ in range(12)]

    assert [type(clip["duration"]) for clip in clips[:4]] == [float, str, type(None), float]
    nulls = [
        [name for name in ("title", "sound", "video_url", "lyrics", "audio_url") if clip[name] is None]
        for clip in clips
    ]
    assert nulls[::3] == [[], ["title"], ["sound"], ["video_url"]]


def test_a_clip_says_what_was_planned_and_there_may_be_several(vendor: MusicVendor, create: Create, poll: Poll) -> None:
    vendor.plan_task("Night Train", story.makes_clip(duration="0.5", mv=None), story.succeeds(clips=2))

    (planned,) = poll(create()).json()["data"]
    several = poll(create()).json()["data"]

    assert (planned["duration"], planned["mv"]) == ("0.5", None)
    assert len({clip["clip_id"] for clip in several}) == 2


REFUNDED, NOT_REFUNDED = "have been refunded", "were not refunded"


@pytest.mark.parametrize(
    ("planned", "said_by_the_answer", "said_of_credits"),
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
def test_a_failure_says_why_and_what_became_of_the_credits(
    vendor: MusicVendor,
    create: Create,
    poll: Poll,
    planned: TaskStory,
    said_by_the_answer: dict[str, object],
    said_of_credits: str,
) -> None:
    vendor.plan_task("Night Train", planned)

    answer = poll(create())

    payload = answer.json()
    message = payload.pop("message")
    assert (answer.status_code, payload) == (200, said_by_the_answer)
    assert said_of_credits in message
    assert ("refunded" in message) == ("refunded" in said_of_credits)


def test_the_older_generation_may_say_no_more_of_a_failure_than_a_clips_state(
    vendor: MusicVendor, create: Create, poll: Poll
) -> None:
    vendor.plan_task("Night Train", story.fails(refunded=None, generation=OLDER))

    payload = poll(create()).json()

    assert (payload["code"], payload["message"], payload["data"][0]["state"]) == (200, "success", "failed")
    assert payload["data"][0]["audio_url"] is None


def test_credits_come_back_only_from_a_failure_that_says_so(vendor: MusicVendor, create: Create) -> None:
    vendor.plan_task("Night Train", *(story.fails(refunded=refunded) for refunded in (True, False, None)))
    before = vendor.credits

    for _ in range(4):
        create()

    wait_for(lambda: vendor.credits == before - 3 * CREDITS_A_SONG, "one song's credits to come back", seconds=5)


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
def test_a_poll_gets_what_was_planned_once_or_always(
    vendor: MusicVendor,
    create: Create,
    poll: Poll,
    planned: PollReply,
    generation: Generation,
    status: int,
    shown: str,
) -> None:
    success = story.succeeds(generation=generation)
    vendor.plan_task("Night Train", success.after(planned), success.always(planned))
    once, always = create(), create()

    first, second = poll(once), poll(once)

    assert (first.status_code, shown in first.text) == (status, True)
    assert _succeeded(second)
    assert [answer.text for answer in (poll(always), poll(always), poll(always))] == [
        first.text.replace(once, always)
    ] * 3


def test_a_rate_limited_poll_says_when_to_come_again(vendor: MusicVendor, create: Create, poll: Poll) -> None:
    vendor.plan_task("Night Train", story.succeeds().after(story.rate_limited("7")))

    assert poll(create()).headers["Retry-After"] == "7"


@pytest.mark.parametrize("generation", Generation)
def test_success_may_come_without_data_at_first(
    vendor: MusicVendor, create: Create, poll: Poll, generation: Generation
) -> None:
    vendor.plan_task("Night Train", story.succeeds(polls_without_data=2, generation=generation))
    task_id = create()

    answers = [poll(task_id).json() for _ in range(3)]

    assert [(answer["message"], len(answer["data"])) for answer in answers] == [
        ("success", 0),
        ("success", 0),
        ("success", 1),
    ]


def test_a_poll_can_hang_or_break_off(vendor: MusicVendor, create: Create, poll: Poll) -> None:
    vendor.plan_task("Night Train", story.succeeds().after(story.hangs(), story.cuts("body"), story.cuts("start")))
    task_id = create()

    with pytest.raises(requests.exceptions.ReadTimeout):
        poll(task_id, timeout=0.2)
    for _ in range(2):
        with pytest.raises(requests.exceptions.RequestException):
            poll(task_id)

    assert _succeeded(poll(task_id))


def test_each_task_takes_one_story_and_then_the_one_for_all(vendor: MusicVendor, create: Create, poll: Poll) -> None:
    vendor.generation = NEWER
    vendor.plan_all_tasks(story.never_finishes())
    vendor.plan_task("Night Train", story.succeeds(), story.fails(refunded=True))
    tasks = [create() for _ in range(3)]

    assert [poll(task_id).json()["status"] for task_id in tasks] == ["SUCCESS", "FAILED", "PENDING"]


def test_a_task_speaks_one_generation_and_the_next_task_the_other(create: Create, poll: Poll) -> None:
    tasks = [create(), create()]

    assert [["status" in poll(task_id).json() for _ in range(2)] for task_id in tasks] == [[False] * 2, [True] * 2]


def test_a_reset_vendor_knows_no_task(vendor: MusicVendor, create: Create, poll: Poll) -> None:
    task_id = create()
    vendor.plan_task("Night Train", story.never_finishes())

    vendor.reset()

    assert poll(task_id).status_code == 404
    assert _succeeded(poll(create()))


def _succeeded(answer: requests.Response) -> bool:
    return _success(answer) is not None


def _success(answer: requests.Response) -> dict[str, Any] | None:
    payload: dict[str, Any] = answer.json()
    return payload if any(clip["state"] == "succeeded" for clip in payload.get("data", [])) else None
