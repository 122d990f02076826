"""What a poll's answer says of a task: every form that either generation of the vendor's pages has."""

import json

import pytest

from song_intake.domain.reason import Reason
from song_intake.domain.task import Clip, Failed, NoAnswer, NoSuchTask, Running, Succeeded, TaskState
from song_intake.music_api.answer import Answer
from song_intake.music_api.poll import state_of

LYRICS = "canary lyrics"
CLIP = {
    "clip_id": "clip-1",
    "title": "canary title",
    "sound": "canary sound",
    "lyrics": LYRICS,
    "audio_url": "https://cdn.example/1.mp3",
    "wav_url": "https://cdn.example/1.wav",
    "image_url": "https://cdn.example/1.jpeg",
    "video_url": None,
    "duration": 183.48,
    "mv": "FUZZ-2.0",
    "seed": "417730",
    "state": "succeeded",
    "created_at": "2026-03-01T12:00:00Z",
}
SONG = Clip(
    clip_id="clip-1",
    audio_url="https://cdn.example/1.mp3",
    wav_url="https://cdn.example/1.wav",
    image_url="https://cdn.example/1.jpeg",
    duration=183.48,
    mv="FUZZ-2.0",
    seed="417730",
)
UNKNOWN_WORD = Running(unknown_status=True)
REFUNDED, NOT_REFUNDED = Failed("failed", refunded=True), Failed("failed", refunded=False)


def told(said: object, status: int = 200, retry_after: str | None = None) -> TaskState:
    return state_of(Answer(status, json.dumps(said).encode(), retry_after))


def clip(**fields: object) -> dict[str, object]:
    return CLIP | fields


OLDER: dict[str, tuple[object, int, TaskState]] = {
    "not ready, by HTTP": ({"code": 202, "type": "not_ready", "error": "not ready"}, 202, Running()),
    "not ready, by HTTP alone": ({}, 202, NoAnswer(Reason.POLL_FAILED, 202)),
    "not ready, by code": ({"code": 202, "type": "not_ready", "error": "not ready"}, 200, Running()),
    "not ready, by type": ({"type": "not_ready"}, 200, Running()),
    "pending clip": ({"code": 200, "data": [clip(state="pending")]}, 200, Running()),
    "running clip": ({"code": 200, "data": [clip(state="running")]}, 200, Running()),
    "succeeded": ({"code": 200, "message": "success", "data": [CLIP]}, 200, Succeeded((SONG,))),
    "one of two still running": ({"data": [CLIP, clip(state="running")]}, 200, Running()),
    "one of two failed": ({"data": [CLIP, clip(state="failed")]}, 200, Succeeded((SONG,))),
    "all failed": ({"data": [clip(state="failed"), clip(state="failed")]}, 200, Failed(None, None)),
    "failed, by type": ({"code": 200, "type": "failed", "message": "no"}, 200, Failed("failed", None)),
    "no data yet": ({"code": 200, "message": "success", "data": []}, 200, Running()),
    "data null": ({"code": 200, "message": "success", "data": None}, 200, Running()),
    "clip in an unknown state": ({"code": 200, "data": [clip(state="paused")]}, 200, UNKNOWN_WORD),
}
NEWER: dict[str, tuple[object, int, TaskState]] = {
    "PENDING": ({"status": "PENDING", "data": []}, 200, Running()),
    "RUNNING": ({"status": "RUNNING", "data": []}, 200, Running()),
    "running in lower case": ({"status": "running", "data": []}, 200, Running()),
    "SUCCESS": ({"code": 200, "status": "SUCCESS", "message": "success", "data": [CLIP]}, 200, Succeeded((SONG,))),
    "SUCCESS, clip without state": ({"status": "SUCCESS", "data": [clip(state=None)]}, 200, Succeeded((SONG,))),
    "SUCCESS without data": ({"status": "SUCCESS", "data": []}, 200, Running()),
    "SUCCESS with no data field": ({"status": "SUCCESS"}, 200, Running()),
    "SUCCESS with data of another form": ({"status": "SUCCESS", "data": "soon"}, 200, Running()),
    "FAILED": ({"status": "FAILED", "type": "failed", "message": "no"}, 200, Failed("failed", None)),
    "FAILED, timeout": ({"status": "FAILED", "type": "timeout", "message": "no"}, 200, Failed("timeout", None)),
    "FAILED without type": ({"status": "FAILED"}, 200, Failed(None, None)),
    "unknown word": ({"status": "PAUSED", "data": []}, 200, UNKNOWN_WORD),
    "unknown word with a clip": ({"status": "PAUSED", "data": [CLIP]}, 200, UNKNOWN_WORD),
}
EITHER = {f"{name}, older": case for name, case in OLDER.items()} | {
    f"{name}, newer": case for name, case in NEWER.items()
}


@pytest.mark.parametrize(("said", "status", "state"), EITHER.values(), ids=EITHER.keys())
def test_every_form_of_either_generation_is_read(said: object, status: int, state: TaskState) -> None:
    assert told(said, status) == state


@pytest.mark.parametrize(
    ("said", "status", "state"),
    [
        pytest.param({"error": "task not found."}, 400, NoSuchTask(400), id="400, in error"),
        pytest.param({"message": "Task Not Found"}, 400, NoSuchTask(400), id="400, in message"),
        pytest.param({"error": "bad id"}, 400, NoAnswer(Reason.POLL_FAILED, 400), id="400 for something else"),
        pytest.param({"type": "not_found"}, 404, NoSuchTask(404), id="404"),
        pytest.param({"type": "unauthorized"}, 401, NoAnswer(Reason.TOKEN_REFUSED, 401), id="401"),
        pytest.param({"type": "rate_limited"}, 429, NoAnswer(Reason.RATE_LIMITED, 429), id="429"),
        pytest.param({"type": "forbidden"}, 403, NoAnswer(Reason.POLL_FAILED, 403), id="403"),
        pytest.param({"type": "failed"}, 500, NoAnswer(Reason.POLL_FAILED, 500), id="500 that says failed"),
        pytest.param({"status": "SUCCESS", "data": [CLIP]}, 502, NoAnswer(Reason.POLL_FAILED, 502), id="502"),
        pytest.param({"status": "SUCCESS", "data": [CLIP]}, 302, NoAnswer(Reason.POLL_FAILED, 302), id="302"),
        pytest.param([CLIP], 200, NoAnswer(Reason.POLL_FAILED, 200), id="a list"),
        pytest.param({}, 200, NoAnswer(Reason.POLL_FAILED, 200), id="an empty object"),
    ],
)
def test_a_status_of_http_decides_before_the_words(said: object, status: int, state: TaskState) -> None:
    assert told(said, status) == state


@pytest.mark.parametrize("body", [b"", b"<!doctype html><title>One moment</title>", b'{"status": "SUCC', b"\xff\xfe"])
def test_what_is_not_json_tells_nothing_of_the_task(body: bytes) -> None:
    assert state_of(Answer(200, body)) == NoAnswer(Reason.POLL_FAILED, 200)


def test_a_wait_that_the_vendor_asks_for_is_kept() -> None:
    assert told({}, 429, retry_after="7") == NoAnswer(Reason.RATE_LIMITED, 429, 7.0)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (183.48, 183.48),
        (183, 183.0),
        ("183.48", 183.48),
        (None, None),
        ("", None),
        ("3:03", None),
        (True, None),
        (-1, None),
        ("nan", None),
        ("inf", None),
        ([183.48], None),
    ],
)
def test_a_duration_is_a_number_a_decimal_string_or_missing(said: object, seconds: float | None) -> None:
    state = told({"status": "SUCCESS", "data": [clip(duration=said)]})
    assert isinstance(state, Succeeded)
    assert state.clips[0].duration == seconds


def test_a_duration_that_no_float_holds_is_missing() -> None:
    state = told({"status": "SUCCESS", "data": [clip(duration=10**400)]})
    assert isinstance(state, Succeeded)
    assert state.clips[0].duration is None


@pytest.mark.parametrize(("said", "seed"), [("417730", "417730"), (417730, "417730"), (None, None), ({"a": 1}, None)])
def test_a_seed_is_a_string_or_a_number(said: object, seed: str | None) -> None:
    state = told({"status": "SUCCESS", "data": [clip(seed=said)]})
    assert isinstance(state, Succeeded)
    assert state.clips[0].seed == seed


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"message": "Your credits have been refunded."}, REFUNDED),
        ({"error": "Credits were refunded."}, REFUNDED),
        ({"message": "Your credits were not refunded."}, NOT_REFUNDED),
        ({"message": "They have not been refunded."}, NOT_REFUNDED),
        ({"message": "No refund."}, NOT_REFUNDED),
        ({"message": "The generation failed."}, Failed("failed", None)),
        ({"refund_processed": True, "message": "not refunded"}, REFUNDED),
        ({"refund_processed": False, "message": "refunded"}, NOT_REFUNDED),
        ({"refund_processed": "yes"}, Failed("failed", None)),
    ],
)
def test_whether_the_credits_came_back_is_what_the_vendor_says(said: dict[str, object], state: Failed) -> None:
    assert told({"status": "FAILED", "type": "failed", **said}) == state


def test_fields_that_no_page_lists_change_nothing() -> None:
    more = {"platform": "producer", "trace": {"status": "FAILED"}}
    assert told({"status": "SUCCESS", "data": [clip(is_public=False, **more)], **more}) == Succeeded((SONG,))


def test_what_is_no_clip_is_passed_over() -> None:
    assert told({"status": "SUCCESS", "data": ["x", None, CLIP, 7]}) == Succeeded((SONG,))


@pytest.mark.parametrize("field", ["audio_url", "wav_url", "image_url", "mv", "clip_id"])
def test_a_song_is_a_song_whatever_is_missing_from_its_clip(field: str) -> None:
    for value in (None, "", ["x"], {"x": 1}):
        state = told({"status": "SUCCESS", "data": [clip(**{field: value})]})
        assert isinstance(state, Succeeded)
        assert not getattr(state.clips[0], field)


@pytest.mark.parametrize(("said", "status", "state"), EITHER.values(), ids=EITHER.keys())
def test_nothing_of_the_prompt_is_in_the_result(said: object, status: int, state: TaskState) -> None:
    assert "canary" not in repr(told(said, status))


def test_a_code_that_quotes_the_prompt_is_not_kept() -> None:
    assert told({"status": "FAILED", "type": LYRICS, "message": LYRICS}) == Failed(None, None)
