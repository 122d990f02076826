"""Calls of many threads in few: who shares one with whom, and who waits for nobody."""

import functools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from song_intake.aws import group_commit
from song_intake.aws.group_commit import GATHER_STEP_SECONDS, GroupCommit
from tests.local.waiting import wait_for

Submit = Callable[[int], "Future[int]"]
HELD = 0


class Calls:
    """Doubles each item. A call that has HELD among its items does not end before `release` is set."""

    def __init__(self) -> None:
        self.made: list[list[int]] = []
        self.release = threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.made.append(list(items))
        if HELD in items:
            self.release.wait()
        if 13 in items:
            raise ValueError("unlucky")
        return [2 * item for item in items]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.setattr(group_commit, "PATIENCE_SECONDS", 60.0)
    return Calls()


@pytest.fixture
def threads(calls: Calls) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=40) as threads:
        yield threads
        calls.release.set()


@pytest.fixture
def group(calls: Calls) -> GroupCommit[int, int]:
    return GroupCommit(calls, most=3)


def come_while_one_is_under_way(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor, items: Sequence[int]
) -> "list[Future[int]]":
    """Their verdicts to come; the first is that of the call under way."""
    first = threads.submit(group.submit, HELD)
    wait_for(lambda: calls.made, "the first call")
    others = []
    for number, item in enumerate(items, start=1):
        others.append(threads.submit(group.submit, item))
        wait_for(functools.partial(is_crowd, group, number), "it to wait")
    return [first, *others]


def is_crowd(group: GroupCommit[int, int], number: int) -> bool:
    return len(group._waiting) == number


def test_one_who_comes_alone_has_its_call_at_once(group: GroupCommit[int, int], calls: Calls) -> None:
    assert [group.submit(1), group.submit(2)] == [2, 4]
    assert calls.made == [[1], [2]]


def test_those_who_come_while_a_call_is_under_way_share_the_next(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor
) -> None:
    verdicts = come_while_one_is_under_way(group, calls, threads, [1, 2])
    calls.release.set()
    assert [verdict.result() for verdict in verdicts] == [0, 2, 4]
    assert [sorted(call) for call in calls.made] == [[HELD], [1, 2]]


def test_the_first_waits_for_others_as_long_as_they_come(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it looks away for the first time one more comes, and then nobody."""
    others: list[Future[int]] = []
    looks: list[float] = []

    def look_away(seconds: float) -> None:
        looks.append(seconds)
        if not others:
            others.append(threads.submit(group.submit, 2))
            wait_for(functools.partial(is_crowd, group, 2), "it to wait")

    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 60.0)
    monkeypatch.setattr(group_commit, "time", SimpleNamespace(monotonic=time.monotonic, sleep=look_away))
    assert group.submit(1) == 2
    assert others[0].result() == 4
    assert calls.made == [[1, 2]]
    assert looks == [GATHER_STEP_SECONDS] * 2


def test_the_first_waits_for_nobody_once_its_call_is_full(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[Future[int]] = []

    def look_away(_seconds: float) -> None:
        assert not others
        for number in (2, 3):
            others.append(threads.submit(group.submit, number))
            wait_for(functools.partial(is_crowd, group, number), "it to wait")

    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 60.0)
    monkeypatch.setattr(group_commit, "time", SimpleNamespace(monotonic=time.monotonic, sleep=look_away))
    assert group.submit(1) == 2
    assert calls.made == [[1, 2, 3]]


def test_a_call_takes_no_more_than_the_most_and_the_others_have_the_one_after(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor
) -> None:
    verdicts = come_while_one_is_under_way(group, calls, threads, [1, 2, 3, 4])
    calls.release.set()
    assert [verdict.result() for verdict in verdicts] == [0, 2, 4, 6, 8]
    assert [len(call) for call in calls.made] == [1, 3, 1]


def test_what_a_call_raises_it_raises_for_everyone_in_it_and_for_nobody_else(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor
) -> None:
    first, *both = come_while_one_is_under_way(group, calls, threads, [13, 2])
    calls.release.set()
    assert first.result() == 0
    for verdict in both:
        with pytest.raises(ValueError, match="unlucky"):
            verdict.result()
    assert group.submit(5) == 10


def test_a_call_that_hangs_holds_nobody_back(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "PATIENCE_SECONDS", 0.001)
    hanging = threads.submit(group.submit, HELD)
    wait_for(lambda: calls.made, "the first call")
    assert group.submit(1) == 2
    assert not hanging.done()


def test_a_call_that_answers_for_fewer_than_were_asked_raises_for_all_of_them() -> None:
    group = GroupCommit[int, int](lambda _items: [], most=3)
    with pytest.raises(ValueError, match="shorter"):
        group.submit(1)


def test_everyone_in_a_crowd_has_the_verdict_on_its_own(
    calls: Calls, group: GroupCommit[int, int], threads: ThreadPoolExecutor
) -> None:
    items = range(100, 600)
    assert list(threads.map(group.submit, items)) == [2 * item for item in items]
    assert sorted(item for call in calls.made for item in call) == list(items)
