"""The clips of a song, with the irregularities of the real API: nulls, numbers as strings, undocumented fields."""

from collections.abc import Mapping
from typing import Final

from tests.local.vendor.record import Create

_SECONDS: Final = 183.48
# The real API returns the duration in each of these forms.
DURATIONS: Final = (_SECONDS, str(_SECONDS), None)
# These are null now and then. Here they take turns.
NULLABLE: Final = (None, "title", "sound", "video_url")


def finished_clip(create: Create, number: int, index: int, fields: Mapping[str, object]) -> dict[str, object]:
    """A complete clip, with the prompt: a reader that copies whole clips leaks it, and tests detect that.

    The `number` of the task selects the form of the duration and the field that is null. `fields` override the result.
    """
    clip_id = _clip_id(create, index)
    finished = {
        **_clip(create, clip_id, "succeeded"),
        "audio_url": f"https://cdn.example/{clip_id}.mp3",
        "wav_url": f"https://cdn.example/{clip_id}.wav",
        "image_url": f"https://cdn.example/{clip_id}.jpeg",
        "video_url": f"https://cdn.example/{clip_id}.mp4",
        "duration": DURATIONS[number % len(DURATIONS)],
    }
    missing = NULLABLE[number // len(DURATIONS) % len(NULLABLE)]
    if missing is not None:
        finished[missing] = None
    return {**finished, **fields}


def streaming_clip(create: Create, index: int) -> dict[str, object]:
    """A clip with the link to a stream, and no recording yet."""
    clip_id = _clip_id(create, index)
    stream = {"audio_url": f"https://stream.example/?item_id={clip_id}"}
    return {**_clip(create, clip_id, "streaming"), **stream}


def unfinished_clip(create: Create, state: str) -> dict[str, object]:
    """A clip without a recording, in any state: running, failed, or an unknown one."""
    return _clip(create, _clip_id(create, 0), state)


def _clip_id(create: Create, index: int) -> str:
    return f"{create.task_id}-{index}"


def _clip(create: Create, clip_id: str, state: str) -> dict[str, object]:
    body = create.body
    return {
        "clip_id": clip_id,
        "title": body.get("title"),
        "sound": body.get("sound"),
        "lyrics": body.get("lyrics", ""),
        "audio_url": None,
        "wav_url": None,
        "image_url": None,
        "video_url": None,
        "duration": None,
        "mv": body.get("mv", "FUZZ-2.0"),
        "seed": body.get("seed", "417730"),
        "state": state,
        "created_at": "2026-03-01T12:00:00Z",
        "is_public": False,
        "producer_meta": {"session": clip_id, "tags": []},
    }
