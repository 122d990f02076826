"""An end that the ledger could not store would be polled for ever: what is past all bounds is left out of the end."""

import json
from collections.abc import Mapping
from dataclasses import asdict

import pytest

from song_intake.domain.task import MOST_CLIPS, Clip, Running, Succeeded
from song_intake.music_api.answer import Answer
from song_intake.music_api.poll import state_of

LINK = "https://cdn.example/1.mp3"
LINKS = ("audio_url", "wav_url", "image_url", "video_url")

LARGEST_ITEM_BYTES = 400 * 1024
LARGEST_EVENT_BYTES = 256 * 1024


def polled(*clips: Mapping[str, object]) -> Succeeded:
    state = state_of(Answer(200, json.dumps({"status": "SUCCESS", "data": clips}).encode()))
    assert isinstance(state, Succeeded)
    return state


def ended(**fields: object) -> Clip:
    (clip,) = polled({"clip_id": "c", "state": "succeeded", "audio_url": LINK, **fields}).clips
    return clip


@pytest.mark.parametrize("duration", [1e200, "1e300", -1, "NaN", 86_401])
def test_a_duration_that_no_song_has_is_left_out(duration: object) -> None:
    assert ended(duration=duration).duration is None


def test_a_duration_too_small_for_the_ledger_is_rounded() -> None:
    assert ended(duration=1e-200).duration == 0


@pytest.mark.parametrize("text", ["x" * 257, "é" * 129, "a\x00", "\ud83d"])
def test_a_text_that_no_row_should_hold_is_left_out(text: str) -> None:
    clip = ended(mv=text, seed=text)
    assert (clip.mv, clip.seed) == (None, None)


def test_refused_links_are_left_out_and_counted() -> None:
    state = polled(
        {"state": "succeeded", "audio_url": LINK, "wav_url": "http://cdn.example/1", "image_url": ["x"]},
        {"state": "succeeded", "audio_url": LINK, "wav_url": None, "image_url": "", "video_url": "https://10.0.0.1/"},
        {"state": "failed", "video_url": "https://10.0.0.1/"},
    )
    assert state == Succeeded((Clip("", audio_url=LINK), Clip("", audio_url=LINK)), links_refused=3)


def test_of_very_many_clips_the_first_are_kept() -> None:
    state = polled(*({"clip_id": str(n), "state": "succeeded", "audio_url": LINK} for n in range(1_000)))
    assert [clip.clip_id for clip in state.clips] == [str(number) for number in range(MOST_CLIPS)]


def test_a_clip_past_the_kept_ones_must_be_finished_too() -> None:
    done: dict[str, object] = {"state": "succeeded", "audio_url": LINK}
    clips = [done] * MOST_CLIPS + [{"state": "running"}]
    body = json.dumps({"status": "SUCCESS", "data": clips}).encode()
    assert state_of(Answer(200, body)) == Running()


@pytest.mark.parametrize("character", ["x", "é", "音", "🎵", "&"])
def test_the_largest_end_fits_a_row_and_an_event(character: str) -> None:
    def filled(start: str, size: int) -> str:
        return start + character * ((size - len(start)) // len(character.encode()))

    largest: dict[str, object] = dict.fromkeys(LINKS, filled("https://cdn.example/", 2_048))
    largest |= dict.fromkeys(("clip_id", "mv", "seed"), filled("", 256))
    state = polled(*[{"state": "succeeded", "duration": 183.481, **largest}] * 100)
    assert all(getattr(clip, name) for clip in state.clips for name in (*largest, "duration"))
    size = len(json.dumps([asdict(clip) for clip in state.clips], ensure_ascii=False).encode())
    assert size < LARGEST_EVENT_BYTES / 2 < LARGEST_ITEM_BYTES
