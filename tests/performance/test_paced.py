"""600 requests, 8 workers, 10 creates a second: the rate is used, the vendor never says 429, no worker is starved.

And the ways to do it that come to mind first, each of which is found out.
"""

from collections.abc import Callable

import pytest

from song_intake.admission.pace import Pace
from song_intake.admission.pace_item import Change, PaceItem, Result
from song_intake.admission.pacer import SharedPacer
from song_intake.ledger.table import LedgerUnavailable
from tests.performance.paced import Load, PacedResult, Parts, run_paced

USED = 0.98


@pytest.fixture(scope="module")
def usual() -> PacedResult:
    return run_paced(Load(skew=2))


def test_the_rate_is_used_and_the_vendor_never_says_429(usual: PacedResult) -> None:
    assert len(usual.created_at) == 600
    assert usual.answers_429 == 0
    assert usual.share_of_rate >= USED


def test_no_receive_is_spent_on_waiting(usual: PacedResult) -> None:
    assert not usual.retries


def test_no_worker_is_starved(usual: PacedResult) -> None:
    assert len(usual.creates_of) == 8
    assert min(usual.creates_of.values()) >= 600 / 8 / 2


def test_the_oldest_message_waits_as_long_as_the_backlog_takes(usual: PacedResult) -> None:
    assert 60 <= usual.oldest_age + 0.5 < 62


def test_slots_are_reserved_many_with_one_write(usual: PacedResult) -> None:
    # 60 batches, and the conflicts of 8 workers that all begin at once.
    assert usual.writes_of_the_pace < 600 / 2


def test_a_duplicate_leaves_its_slot_to_another_request() -> None:
    result = run_paced(Load(duplicates=12, skew=2))
    assert (len(result.created_at), result.answers_429) == (600, 0)
    assert result.share_of_rate >= USED


def test_one_create_every_3_seconds_is_used_by_two_workers() -> None:
    result = run_paced(Load(requests=120, duplicates=6, creates_per_minute=20, workers=2, batch_size=6, skew=2))
    assert (len(result.created_at), result.answers_429) == (120, 0)
    assert result.share_of_rate >= USED
    assert not result.retries


def test_a_worker_that_dies_takes_no_more_than_the_slots_of_its_batch_along() -> None:
    result = run_paced(Load(requests=200, deaths=(5.0, 12.0)))
    assert result.lost > 0
    assert len(result.created_at) >= 200 - result.lost
    assert result.answers_429 == 0
    assert result.oldest_age <= 200 / 10 + 2 * 10 / 10 + 1


def test_a_429_slows_everybody_down_and_the_pace_recovers() -> None:
    result = run_paced(Load(requests=400, slow_until=20))
    assert len(result.created_at) == 400
    assert 0 < result.answers_429 <= 30
    assert max(result.refused_at) < 22, "nobody is refused any more when the vendor is well again"
    last = sorted(result.created_at)[-20:]
    assert last[-1] - last[0] < 19 * 0.1 * 4, "at the end, it goes faster than at the slowest pace"


class LocalClocks(SharedPacer):
    """Slots by the wall clock of the worker."""

    def begin(self, time_left: Callable[[], float]) -> None:
        super().begin(lambda: self._function_timeout)


class EverybodyForItself(PaceItem):
    """The pace of one worker, and nobody asks the others."""

    def change(self, change: Change[Result]) -> Result:
        self._known = type(self._known)(self._own(), None)
        pace, result = change(self._own())
        self._kept = pace
        return result

    def _own(self) -> Pace:
        return getattr(self, "_kept", Pace())


class NothingIsGivenBack(PaceItem):
    """Nor is a 429 told to the others."""

    def change(self, change: Change[Result]) -> Result:
        if change(Pace())[1] is None:
            raise LedgerUnavailable("what is not reserved is not written")
        return super().change(change)


@pytest.mark.parametrize(
    "parts",
    [Parts(pacer=LocalClocks), Parts(pace_item=EverybodyForItself)],
    ids=["local clocks", "everybody for itself"],
)
def test_a_naive_pace_is_refused_by_the_vendor(parts: Parts) -> None:
    assert run_paced(Load(requests=200, skew=2), parts).answers_429 > 0


def test_slots_that_are_not_given_back_are_missed() -> None:
    load = Load(requests=150, duplicates=30)
    assert run_paced(load).share_of_rate - run_paced(load, Parts(pace_item=NothingIsGivenBack)).share_of_rate > 0.05


def test_where_a_429_is_not_told_to_the_others_the_vendor_says_it_many_times_more() -> None:
    load = Load(requests=150, slow_until=10_000)
    told, untold = run_paced(load), run_paced(load, Parts(pace_item=NothingIsGivenBack))
    assert untold.answers_429 > 3 * told.answers_429
