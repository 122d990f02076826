"""The clips of a song, with what readers stumble over: nulls, numbers as strings, fields that no page lists."""

from collections.abc import Mapping
from typing import Final

from tests.local.vendor.record import Create

_SECONDS: Final = 183.48
# The real API gives the length in each of these forms.
DURATIONS: Final = (_SECONDS, str(_SECONDS), None)
# And leaves these out now and then, one at a time here.
NULLABLE: Final = (None, "title", "sound", "video_url")


def finished_clip(create: Create, number: int, index: int, fields: Mapping[str, object]) -> dict[str, object]:
    """A clip with everything in it, the prompt as well: whoever copies clips whole shows here that it leaks.

    The `number` of the task decides about the length's form and about what is null, in turn. `fields` has the last
    word.
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
    """A clip that has a stream to listen to, and no recording yet."""
    clip_id = _clip_id(create, index)
    stream = {"audio_url": f"https://stream.example/?item_id={clip_id}"}
    return {**_clip(create, clip_id, "streaming"), **stream}


def unfinished_clip(create: Create, state: str) -> dict[str, object]:
    """A clip that has a state and no song: still running, failed, or whatever the word says."""
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
