"""The verdict of a run: it must be able to say no."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.local.run.cases import FAILED, REFUSED, SETTLED, SUCCEEDED, Case, Ending, generated, samples
from tests.local.run.progress import QUEUED, State, Tracked
from tests.local.run.summary import Evidence, is_as_it_should_be, summary
from tests.local.vendor.record import Create

MADE = Create("task-1", "A Song", {}, "token", at=0.0)
CASE = Case("a song", '{"title": "A Song", "sound": "slow folk"}', SUCCEEDED)
GOOD = State("SUCCEEDED", "task-1", creates=1, ended=True)
BAD = State("FAILED", "task-1", "FAILED_BY_VENDOR", creates=1, ended=True)
REJECTED = State("REJECTED", reason="REFUSED", ended=True)
DOUBT = State("IN_DOUBT", reason="OUTCOME_UNKNOWN", creates=1)
EVENTS = ("a/SUCCEEDED/task-1", "a/FAILED/task-1", "a/REJECTED/m-1", "a/IN_DOUBT/m-1")


@pytest.mark.parametrize(
    ("ending", "before", "state", "creates"),
    [
        (SUCCEEDED, [], GOOD, [MADE]),
        (FAILED, [], BAD, [MADE]),
        (SETTLED, [DOUBT], GOOD, [MADE]),
        (REFUSED, [], REJECTED, []),
        (Ending("IN_DOUBT", "OUTCOME_UNKNOWN", 1), [], replace(DOUBT, ended=True), [MADE]),
    ],
    ids=["succeeded", "failed", "settled", "rejected", "in doubt"],
)
def test_the_end_that_was_expected_is_as_it_should_be(
    ending: Ending, before: list[State], state: State, creates: list[Create]
) -> None:
    tracked = Tracked(replace(CASE, ending=ending), ["m-1"], state, before)
    assert is_as_it_should_be([tracked], Evidence(creates, dict.fromkeys(EVENTS, 1)))


@pytest.mark.parametrize(
    ("case", "state", "creates", "events"),
    [
        (CASE, QUEUED, [], EVENTS),
        (CASE, replace(GOOD, status="SUBMITTED", ended=False), [MADE], EVENTS),
        (CASE, replace(GOOD, creates=2), [MADE, replace(MADE, task_id="task-2")], EVENTS),
        (CASE, GOOD, [MADE, replace(MADE, task_id="task-2", title="A Song of Nobody")], EVENTS),
        (CASE, GOOD, [MADE], ["a/SUBMITTED/task-1", "b/SUCCEEDED/task-2"]),
        (CASE, BAD, [MADE], EVENTS),
        (CASE, REJECTED, [], EVENTS),
        (replace(CASE, ending=SETTLED), GOOD, [MADE], EVENTS),
        (replace(CASE, ending=REFUSED), GOOD, [MADE], EVENTS),
        (replace(CASE, ending=REFUSED), REJECTED, [], ["a/REJECTED/m-2"]),
        (replace(CASE, ending=REFUSED), replace(REJECTED, reason="REDIRECTED"), [], EVENTS),
        (replace(CASE, ending=REFUSED), replace(REJECTED, creates=1), [MADE], EVENTS),
    ],
    ids=[
        "unsent", "not followed to its end", "made twice", "made for nobody", "not announced", "failed", "rejected",
        "never in doubt", "not rejected", "the event of another message", "another reason", "made and rejected",
    ],
)  # fmt: skip
def test_anything_else_is_not(case: Case, state: State, creates: list[Create], events: Sequence[str]) -> None:
    tracked, evidence = [Tracked(case, ["m-1"], state)], Evidence(creates, dict.fromkeys(events, 1))
    assert not is_as_it_should_be(tracked, evidence)
    assert list(summary([], tracked, evidence))[-1] == "NOT everything is as expected."


def test_a_repeated_event_is_counted_apart() -> None:
    lines = list(summary([], [Tracked(CASE, ["m-1"], GOOD)], Evidence([MADE], {EVENTS[0]: 3})))
    assert "events heard                   1 (and 2 repeats)" in lines
    assert lines[-1] == "Everything ended as expected."


def test_every_song_has_a_title_of_its_own_but_for_the_duplicate_among_the_samples() -> None:
    songs = [case.song for case in (*samples(), *generated()) if case.song is not None]
    assert len(songs) - len(set(songs)) == 1
    names = [case.name for case in (*samples(), *generated())]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 33, "longer names break the lines"
