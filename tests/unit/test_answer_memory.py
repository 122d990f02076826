"""The worst answers of the largest size: each is read in little memory, since its neighbours share the function's."""

import tracemalloc
from collections.abc import Callable

import pytest

from song_intake.domain.outcome import Created, Unknown
from song_intake.music_api.answer import Answer
from song_intake.music_api.create import outcome_of
from song_intake.music_api.credits import balance_of
from song_intake.music_api.exchange import LARGEST_ANSWER_BYTES
from song_intake.music_api.poll import state_of

MOST_MEMORY = 16 * 1024 * 1024

ENDED = b'{"status": "SUCCESS", "data": ['


def repeated(element: bytes) -> bytes:
    """A finished task whose data is this element, as often as it fits."""
    return ENDED + b",".join([element] * ((LARGEST_ANSWER_BYTES - 40) // (len(element) + 1))) + b"]}"


ANSWERS = {
    **{element.decode(): repeated(element) for element in (b"{}", b'{"a":1}', b'{"a":{}}', b"[]", b"1.5", b'"ab"')},
    "clips": repeated(b'{"state":"succeeded","audio_url":"https://a.example/b"}'),
    "names": b"{" + b",".join(b'"%05d":1' % number for number in range(100_000)) + b"}",
    "one text beyond Latin-1": b'{"message": "'
    + "\N{MUSICAL NOTE}".encode() * (LARGEST_ANSWER_BYTES // 4 - 10)
    + b'"}',
    "depth": b"[" * LARGEST_ANSWER_BYTES,
}


@pytest.mark.parametrize("reading", [outcome_of, state_of, balance_of])
@pytest.mark.parametrize("body", ANSWERS.values(), ids=ANSWERS)
def test_no_answer_fills_the_memory(body: bytes, reading: Callable[[Answer], object]) -> None:
    assert LARGEST_ANSWER_BYTES // 2 < len(body) <= LARGEST_ANSWER_BYTES
    answer = Answer(200, body)
    tracemalloc.start()
    try:
        reading(answer)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_MEMORY


def test_a_create_whose_answer_has_too_many_values_may_have_made_a_song() -> None:
    assert isinstance(outcome_of(Answer(200, repeated(b"{}"))), Unknown)


@pytest.mark.parametrize("size", [70_000, LARGEST_ANSWER_BYTES - 1_000])
def test_a_large_answer_still_names_its_task(size: int) -> None:
    """Lyrics of this size, with a comma in every other word."""
    lyrics = (b"la la, " * (size // 7))[: min(size, 140_000)].ljust(size, b"a")
    body = b'{"task_id": "t-1", "lyrics": "' + lyrics + b'"}'
    assert outcome_of(Answer(200, body)) == Created("t-1")
