"""What the response to a poll says of a task: every form that either generation of the vendor's pages has."""

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
TIMED_OUT = "Task failed due to timeout. Credits were previously refunded."


def told(said: object, status: int = 200, retry_after: str | None = None) -> TaskState:
    return state_of(Answer(status, json.dumps(said).encode(), retry_after))


def clip(**fields: object) -> dict[str, object]:
    return CLIP | fields


OLDER: dict[str, tuple[object, int, TaskState]] = {
    "not ready, by HTTP": ({"code": 202, "type": "not_ready", "error": "not ready"}, 202, Running()),
    "not ready, by HTTP only": ({"message": "wait"}, 202, Running()),
    "not ready, by a code in a string": ({"code": "202", "error": "not ready"}, 200, Running()),
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
    "data missing": ({"code": 200, "message": "success"}, 200, Running()),
    "clip in an unknown state": ({"code": 200, "data": [clip(state="paused")]}, 200, UNKNOWN_WORD),
    "one of two in an unknown state": ({"data": [CLIP, clip(state="complete")]}, 200, UNKNOWN_WORD),
    "one of two failed, one complete": ({"data": [clip(state="failed"), clip(state="complete")]}, 200, UNKNOWN_WORD),
    "streaming clip": ({"data": [CLIP, clip(state="streaming")]}, 200, Running()),
    "state in capitals": ({"data": [clip(state="SUCCEEDED")]}, 200, Succeeded((SONG,))),
    "state of another type": ({"data": [clip(state=1)]}, 200, UNKNOWN_WORD),
    "clip without state or success": ({"data": [clip(state=None)]}, 200, UNKNOWN_WORD),
    "clip without state": ({"message": "success", "data": [clip(state=None)]}, 200, Succeeded((SONG,))),
    "an error of an unknown type": ({"type": "odd", "error": "no"}, 200, UNKNOWN_WORD),
}
NEWER: dict[str, tuple[object, int, TaskState]] = {
    "PENDING": ({"status": "PENDING", "data": []}, 200, Running()),
    "RUNNING": ({"status": "RUNNING", "data": []}, 200, Running()),
    "running in lower case": ({"status": "running", "data": []}, 200, Running()),
    "SUCCESS": ({"code": 200, "status": "SUCCESS", "message": "success", "data": [CLIP]}, 200, Succeeded((SONG,))),
    "SUCCESS, clip without state": ({"status": "SUCCESS", "data": [clip(state=None)]}, 200, Succeeded((SONG,))),
    "SUCCESS without data": ({"status": "SUCCESS", "data": []}, 200, Running()),
    "SUCCESS with no data field": ({"status": "SUCCESS"}, 200, Running()),
    "SUCCESS with a text as data": ({"status": "SUCCESS", "data": "soon"}, 200, UNKNOWN_WORD),
    "SUCCESS with an object as data": ({"status": "SUCCESS", "data": CLIP}, 200, UNKNOWN_WORD),
    "SUCCESS with something beside a clip": ({"status": "SUCCESS", "data": [CLIP, None]}, 200, UNKNOWN_WORD),
    "SUCCESS, streaming beside succeeded": (
        {"status": "SUCCESS", "data": [CLIP, clip(state="streaming")]},
        200,
        Running(),
    ),
    "SUCCESS, all failed": ({"status": "SUCCESS", "data": [clip(state="failed")]}, 200, Failed(None, None)),
    "SUCCESS, link null": ({"status": "SUCCESS", "data": [clip(audio_url=None)]}, 200, Running()),
    "SUCCESS, link empty": ({"status": "SUCCESS", "data": [CLIP, clip(audio_url="")]}, 200, Running()),
    "SUCCESS, link of http": (
        {"status": "SUCCESS", "data": [clip(audio_url="http://cdn.example/1")]},
        200,
        UNKNOWN_WORD,
    ),
    "status of another type": ({"status": ["SUCCESS"], "data": [CLIP]}, 200, UNKNOWN_WORD),
    "status a number": ({"status": 200, "data": [CLIP]}, 200, Succeeded((SONG,))),
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


# An end counts under any HTTP status; so does "running".
ENDS: list[tuple[object, TaskState]] = [
    ({"status": "SUCCESS", "data": [CLIP]}, Succeeded((SONG,))),
    ({"code": 200, "message": "success", "data": [CLIP]}, Succeeded((SONG,))),
    ({"status": "FAILED", "message": "no"}, Failed(None, None)),
    ({"type": "failed", "message": "no"}, Failed("failed", None)),
    ({"type": "timeout", "error": TIMED_OUT}, Failed("timeout", refunded=True)),
    ({"data": [clip(state="failed")], "message": "Your credits were refunded."}, Failed(None, refunded=True)),
    ({"status": "RUNNING"}, Running()),
]


@pytest.mark.parametrize(("said", "state"), ENDS)
def test_an_end_in_the_vendors_form_counts_under_any_status(said: object, state: TaskState) -> None:
    statuses = [status for status in range(100, 600) if status != 202]
    assert {status: told(said, status) for status in statuses} == dict.fromkeys(statuses, state)


@pytest.mark.parametrize(
    ("said", "status", "state"),
    [
        pytest.param({"error": "task not found."}, 400, NoSuchTask(400), id="400, in error"),
        pytest.param({"message": "Task Not Found"}, 400, NoSuchTask(400), id="400, in message"),
        pytest.param({"type": "not_found"}, 404, NoSuchTask(404), id="404, in type"),
        pytest.param({"code": 404, "error": "task not found"}, 200, NoSuchTask(404), id="404 as a code"),
        pytest.param({"code": "400", "error": "task not found."}, 200, NoSuchTask(400), id="400 as a code in a string"),
        pytest.param({"status": "error", "message": "task not found"}, 404, NoSuchTask(404), id="404 with a status"),
        pytest.param({"error": "bad id"}, 400, NoAnswer(Reason.POLL_FAILED, 400), id="400 for something else"),
        pytest.param({"error": "gone"}, 404, NoAnswer(Reason.POLL_FAILED, 404), id="404 for something else"),
        pytest.param({"detail": "Not Found"}, 404, NoAnswer(Reason.POLL_FAILED, 404), id="404, no known member"),
        pytest.param({"type": "not_found"}, 410, NoAnswer(Reason.POLL_FAILED, 410), id="410"),
        pytest.param({"type": "unauthorized"}, 401, NoAnswer(Reason.TOKEN_REFUSED, 401), id="401"),
        pytest.param({"code": 401, "type": "x"}, 200, NoAnswer(Reason.TOKEN_REFUSED, 401), id="401 as a code"),
        pytest.param({"type": "rate_limited"}, 429, NoAnswer(Reason.RATE_LIMITED, 429), id="429"),
        pytest.param({"status": "error"}, 429, NoAnswer(Reason.RATE_LIMITED, 429), id="429 with a status"),
        pytest.param({"type": "forbidden"}, 403, NoAnswer(Reason.POLL_FAILED, 403), id="403"),
        pytest.param({"type": "upstream_error"}, 502, NoAnswer(Reason.POLL_FAILED, 502), id="502"),
        pytest.param({"code": 502, "type": "x"}, 200, NoAnswer(Reason.POLL_FAILED, 502), id="502 as a code"),
        pytest.param([CLIP], 200, NoAnswer(Reason.POLL_FAILED, 200), id="a list"),
        pytest.param({}, 200, NoAnswer(Reason.POLL_FAILED, 200), id="an empty object"),
    ],
)
def test_an_error_is_read_by_its_status_and_its_words(said: object, status: int, state: TaskState) -> None:
    assert told(said, status) == state


FOREIGN = [
    b"",
    b"<!doctype html><title>404: Task not found</title>",
    b'{"status": "SUCC',
    b"\xff\xfe",
    b"[" * 60_000,
    b'{"detail": "Task not found"}',
]


@pytest.mark.parametrize("body", FOREIGN)
def test_another_form_says_nothing_of_the_task_under_any_status(body: bytes) -> None:
    reasons = {401: Reason.TOKEN_REFUSED, 429: Reason.RATE_LIMITED}
    for status in range(100, 600):
        assert state_of(Answer(status, body)) == NoAnswer(reasons.get(status, Reason.POLL_FAILED), status)


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"status": "FAILED"}',
        b'{"status": "FAILED", "title": "caf\xe9"}',
        b'{"status": "FAILED", "score": NaN}',
        b'{"status": "SUCCESS", "status": "FAILED"}',
        b'{"status": "FAILED", "title": "\\ud83d"}',
        b'{"status": "FAILED", "deep": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"status": "FAILED", "large": ' + b"9" * 5_000 + b"}",
    ],
)
def test_a_response_is_read_generously(body: bytes) -> None:
    assert state_of(Answer(200, body)) == Failed(None, None)


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


def test_fields_that_no_page_lists_change_nothing() -> None:
    more = {"platform": "producer", "trace": {"status": "FAILED"}}
    assert told({"status": "SUCCESS", "data": [clip(is_public=False, **more)], **more}) == Succeeded((SONG,))


@pytest.mark.parametrize("field", ["wav_url", "image_url", "video_url", "mv", "clip_id"])
@pytest.mark.parametrize("value", [None, "", ["x"], {"x": 1}])
def test_a_finished_song_counts_whatever_else_is_missing_from_its_clip(field: str, value: object) -> None:
    state = told({"status": "SUCCESS", "data": [clip(**{field: value})]})
    assert isinstance(state, Succeeded)
    assert not getattr(state.clips[0], field)


@pytest.mark.parametrize(("said", "status", "state"), EITHER.values(), ids=EITHER.keys())
def test_nothing_of_the_prompt_is_in_the_result(said: object, status: int, state: TaskState) -> None:
    assert "canary" not in repr(told(said, status))


def test_a_code_that_may_quote_the_prompt_is_not_kept() -> None:
    assert told({"status": "FAILED", "type": LYRICS, "message": LYRICS}) == Failed("other", None)


@pytest.mark.parametrize(("status", "wait"), [(429, 60.0), (503, None), (401, None)])
def test_only_a_rate_limit_says_how_long_to_wait(status: int, wait: float | None) -> None:
    """Another status may be a gateway's, and so may its Retry-After."""
    state = told({"error": "later"}, status, retry_after="60")
    assert isinstance(state, NoAnswer)
    assert (state.http_status, state.retry_after) == (status, wait)
