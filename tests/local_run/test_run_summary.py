"""The verdict of a run: it must be able to say no."""

from dataclasses import replace

import pytest

from tests.local.run_cases import REFUSED, SUBMITTED, Case, generated, samples
from tests.local.run_progress import QUEUED, State, Tracked
from tests.local.run_summary import is_as_it_should_be, summary
from tests.local.vendor_record import Create

MADE = Create("task-1", "A Song", {}, "token", at=0.0)
CASE = Case("a song", '{"title": "A Song", "sound": "slow folk"}', SUBMITTED)
SUBMITTED_STATE = State("SUBMITTED", "task-1", creates=1, ended=True)
REJECTED_STATE = State("REJECTED", "REFUSED", ended=True)


def test_one_create_for_a_submitted_request_is_as_it_should_be() -> None:
    assert is_as_it_should_be([Tracked(CASE, ["m-1"], SUBMITTED_STATE)], [MADE])


@pytest.mark.parametrize(
    ("case", "state", "creates"),
    [
        (CASE, QUEUED, []),
        (CASE, replace(SUBMITTED_STATE, creates=2), [MADE, replace(MADE, task_id="task-2")]),
        (CASE, SUBMITTED_STATE, [MADE, replace(MADE, task_id="task-2", title="A Song of Nobody")]),
        (CASE, REJECTED_STATE, []),
        (replace(CASE, ending=REFUSED), SUBMITTED_STATE, [MADE]),
        (replace(CASE, ending=REFUSED), replace(REJECTED_STATE, outcome="REDIRECTED"), []),
        (replace(CASE, ending=REFUSED), replace(REJECTED_STATE, creates=1), [MADE]),
    ],
    ids=["unended", "made twice", "made for nobody", "rejected", "not rejected", "another reason", "made and rejected"],
)
def test_anything_else_is_not(case: Case, state: State, creates: list[Create]) -> None:
    tracked = [Tracked(case, ["m-1"], state)]
    assert not is_as_it_should_be(tracked, creates)
    assert list(summary([], tracked, creates))[-1] == "NOT everything is as expected."


def test_every_song_has_a_title_of_its_own_but_for_the_duplicate_among_the_samples() -> None:
    songs = [case.song for case in (*samples(), *generated()) if case.song is not None]
    assert len(songs) - len(set(songs)) == 1
    names = [case.name for case in (*samples(), *generated())]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 33, "longer names break the lines"
