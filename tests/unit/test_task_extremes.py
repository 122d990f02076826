"""An end that the ledger could not keep would be looked at for ever: what is past all bounds is left out of it."""

import json
from collections.abc import Mapping

import pytest

from song_intake.domain.task import MOST_CLIPS, Clip, Succeeded
from song_intake.music_api.answer import Answer
from song_intake.music_api.poll import state_of


def ended(*clips: Mapping[str, object]) -> tuple[Clip, ...]:
    body = json.dumps({"status": "SUCCESS", "data": clips}).encode()
    state = state_of(Answer(200, body))
    assert isinstance(state, Succeeded)
    return state.clips


@pytest.mark.parametrize("duration", [1e200, "1e300", -1, "NaN", 86_401])
def test_a_duration_that_no_song_has_is_left_out(duration: object) -> None:
    assert ended({"clip_id": "c", "state": "succeeded", "duration": duration})[0].duration is None


def test_a_duration_too_small_for_the_ledger_is_rounded() -> None:
    assert ended({"clip_id": "c", "state": "succeeded", "duration": 1e-200})[0].duration == 0


@pytest.mark.parametrize("url", ["https://" + "x" * 2_048, "https://cdn.example/\ud83d"], ids=["long", "half a pair"])
def test_a_text_that_no_row_can_hold_is_left_out(url: str) -> None:
    (clip,) = ended({"clip_id": "c", "state": "succeeded", "audio_url": url})
    assert (clip.clip_id, clip.audio_url) == ("c", None)


def test_of_very_many_clips_the_first_are_kept() -> None:
    clips = ended(*({"clip_id": str(number), "state": "succeeded"} for number in range(1_000)))
    assert [clip.clip_id for clip in clips] == [str(number) for number in range(MOST_CLIPS)]
