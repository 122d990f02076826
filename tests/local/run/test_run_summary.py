"""The verdict of a run: it must be able to fail."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.local.run.cases import (
    DEAD_LETTER,
    FAILED,
    INVALID,
    REFUSED,
    RESOLVED,
    SUCCEEDED,
    Case,
    Ending,
    generated,
    samples,
)
from tests.local.run.progress import QUEUED, State, Tracked
from tests.local.run.summary import Evidence, is_as_expected, summary
from tests.local.vendor.record import Create

CREATED = Create("task-1", "A Song", {}, "token", at=0.0)
CASE = Case("a song", '{"title": "A Song", "sound": "slow folk"}', SUCCEEDED)
GOOD = State("SUCCEEDED", "task-1", creates=1, ended=True)
BAD = State("FAILED", "task-1", "FAILED_BY_VENDOR", creates=1, ended=True)
REJECTED = State("REJECTED", reason="REFUSED", ended=True)
DOUBT = State("IN_DOUBT", reason="OUTCOME_UNKNOWN", creates=1)
EVENTS = ("a/SUCCEEDED/task-1", "a/FAILED/task-1", "a/REJECTED/m-1", "a/IN_DOUBT/m-1", "-/MESSAGE_REJECTED/m-1")


@pytest.mark.parametrize(
    ("ending", "before", "state", "creates"),
    [
        (SUCCEEDED, [], GOOD, [CREATED]),
        (FAILED, [], BAD, [CREATED]),
        (RESOLVED, [DOUBT], GOOD, [CREATED]),
        (REFUSED, [], REJECTED, []),
        (Ending("IN_DOUBT", "OUTCOME_UNKNOWN", 1), [], replace(DOUBT, ended=True), [CREATED]),
        (INVALID, [], State(DEAD_LETTER, reason="INVALID_REQUEST", ended=True), []),
    ],
    ids=["succeeded", "failed", "resolved", "rejected", "in doubt", "invalid"],
)
def test_a_request_with_the_expected_end_passes(
    ending: Ending, before: list[State], state: State, creates: list[Create]
) -> None:
    tracked = Tracked(replace(CASE, ending=ending), ["m-1"], state, before)
    assert is_as_expected([tracked], Evidence(creates, dict.fromkeys(EVENTS, 1)))


@pytest.mark.parametrize(
    ("case", "state", "creates", "events"),
    [
        (CASE, QUEUED, [], EVENTS),
        (CASE, replace(GOOD, status="SUBMITTED", ended=False), [CREATED], EVENTS),
        (CASE, replace(GOOD, creates=2), [CREATED, replace(CREATED, task_id="task-2")], EVENTS),
        (CASE, GOOD, [CREATED, replace(CREATED, task_id="task-2", title="A Song Without a Request")], EVENTS),
        (CASE, GOOD, [CREATED], ["a/SUBMITTED/task-1", "b/SUCCEEDED/task-2"]),
        (CASE, BAD, [CREATED], EVENTS),
        (CASE, REJECTED, [], EVENTS),
        (replace(CASE, ending=RESOLVED), GOOD, [CREATED], EVENTS),
        (replace(CASE, ending=REFUSED), GOOD, [CREATED], EVENTS),
        (replace(CASE, ending=REFUSED), REJECTED, [], ["a/REJECTED/m-2"]),
        (replace(CASE, ending=REFUSED), replace(REJECTED, reason="REDIRECTED"), [], EVENTS),
        (replace(CASE, ending=REFUSED), replace(REJECTED, creates=1), [CREATED], EVENTS),
    ],
    ids=[
        "unsent", "not tracked to its end", "created twice", "not requested", "without an event", "failed", "rejected",
        "never in doubt", "not rejected", "the event of another message", "another reason", "created and rejected",
    ],
)  # fmt: skip
def test_any_other_end_fails(case: Case, state: State, creates: list[Create], events: Sequence[str]) -> None:
    tracked, evidence = [Tracked(case, ["m-1"], state)], Evidence(creates, dict.fromkeys(events, 1))
    assert not is_as_expected(tracked, evidence)
    assert list(summary([], tracked, evidence))[-1] == "NOT everything ended as expected."


def test_a_song_without_its_recordings_fails() -> None:
    tracked = [Tracked(CASE, ["m-1"], GOOD)]
    assert is_as_expected(tracked, Evidence([CREATED], {EVENTS[0]: 1}, kept=1))
    assert not is_as_expected(tracked, Evidence([CREATED], {EVENTS[0]: 1}, unkept=1))


def test_a_repeated_event_is_counted_separately() -> None:
    lines = list(summary([], [Tracked(CASE, ["m-1"], GOOD)], Evidence([CREATED], {EVENTS[0]: 3})))
    assert "events received                  1 (and 2 repeats)" in lines
    assert lines[-1] == "Everything ended as expected."


def test_every_song_has_its_own_title_except_for_the_duplicate_among_the_samples() -> None:
    songs = [case.song for case in (*samples(), *generated()) if case.song is not None]
    assert len(songs) - len(set(songs)) == 1
    names = [case.name for case in (*samples(), *generated())]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 33, "longer names do not fit their column"
