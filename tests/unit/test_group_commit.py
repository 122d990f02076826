"""Calls of many threads combined into few: which threads share a call, and how long each waits."""

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
    """Doubles each item. A call with HELD among its items ends only when `release` is set."""

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


def submit_during_a_call(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor, items: Sequence[int]
) -> "list[Future[int]]":
    """The future results. The first one is that of the call in flight."""
    first = threads.submit(group.submit, HELD)
    wait_for(lambda: calls.made, "the first call")
    others = []
    for number, item in enumerate(items, start=1):
        others.append(threads.submit(group.submit, item))
        wait_for(functools.partial(are_waiting, group, number), "the thread to wait")
    return [first, *others]


def are_waiting(group: GroupCommit[int, int], number: int) -> bool:
    return len(group._waiting) == number


def test_a_single_thread_calls_at_once(group: GroupCommit[int, int], calls: Calls) -> None:
    assert [group.submit(1), group.submit(2)] == [2, 4]
    assert calls.made == [[1], [2]]


def test_threads_that_come_during_a_call_share_the_next_one(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor
) -> None:
    futures = submit_during_a_call(group, calls, threads, [1, 2])
    calls.release.set()
    assert [future.result() for future in futures] == [0, 2, 4]
    assert [sorted(call) for call in calls.made] == [[HELD], [1, 2]]


def test_the_first_thread_waits_as_long_as_others_come(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more thread comes during the first wait, and none after it."""
    others: list[Future[int]] = []
    waits: list[float] = []

    def during_a_wait(seconds: float) -> None:
        waits.append(seconds)
        if not others:
            others.append(threads.submit(group.submit, 2))
            wait_for(functools.partial(are_waiting, group, 2), "the thread to wait")

    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 60.0)
    monkeypatch.setattr(group_commit, "time", SimpleNamespace(monotonic=time.monotonic, sleep=during_a_wait))
    assert group.submit(1) == 2
    assert others[0].result() == 4
    assert calls.made == [[1, 2]]
    assert waits == [GATHER_STEP_SECONDS] * 2


def test_the_first_thread_stops_waiting_when_its_call_is_full(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[Future[int]] = []

    def during_a_wait(_seconds: float) -> None:
        assert not others
        for number in (2, 3):
            others.append(threads.submit(group.submit, number))
            wait_for(functools.partial(are_waiting, group, number), "the thread to wait")

    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 60.0)
    monkeypatch.setattr(group_commit, "time", SimpleNamespace(monotonic=time.monotonic, sleep=during_a_wait))
    assert group.submit(1) == 2
    assert calls.made == [[1, 2, 3]]


def test_a_call_has_at_most_the_maximum_and_the_rest_go_in_the_next(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor
) -> None:
    futures = submit_during_a_call(group, calls, threads, [1, 2, 3, 4])
    calls.release.set()
    assert [future.result() for future in futures] == [0, 2, 4, 6, 8]
    assert [len(call) for call in calls.made] == [1, 3, 1]


def test_an_exception_of_a_call_is_raised_for_every_thread_in_it_and_no_other(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor
) -> None:
    first, *both = submit_during_a_call(group, calls, threads, [13, 2])
    calls.release.set()
    assert first.result() == 0
    for future in both:
        with pytest.raises(ValueError, match="unlucky"):
            future.result()
    assert group.submit(5) == 10


def test_a_hanging_call_does_not_block_the_next(
    group: GroupCommit[int, int], calls: Calls, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "PATIENCE_SECONDS", 0.001)
    hanging = threads.submit(group.submit, HELD)
    wait_for(lambda: calls.made, "the first call")
    assert group.submit(1) == 2
    assert not hanging.done()


def test_a_call_with_too_few_results_raises_for_all_of_them() -> None:
    group = GroupCommit[int, int](lambda _items: [], most=3)
    with pytest.raises(ValueError, match="shorter"):
        group.submit(1)


def test_each_of_many_threads_gets_its_own_result(
    calls: Calls, group: GroupCommit[int, int], threads: ThreadPoolExecutor
) -> None:
    items = range(100, 600)
    assert list(threads.map(group.submit, items)) == [2 * item for item in items]
    assert sorted(item for call in calls.made for item in call) == list(items)
