"""600 requests, 8 workers, 10 creates a second: the rate is used, there is no 429, and every worker gets its share.

The last tests show that simpler ways to pace the creates fail.
"""

import pytest

from song_intake.admission.pace import Pace
from song_intake.admission.pace_item import Change, PaceItem, Result
from song_intake.ledger.table import LedgerUnavailable
from tests.performance.paced import Load, PacedResult, Parts, run_paced

USED = 0.98
SYNCHRONISED = 0.01  # seconds; AWS keeps the clocks of its hosts closer than that


@pytest.fixture(scope="module")
def usual() -> PacedResult:
    return run_paced(Load(skew=SYNCHRONISED))


def test_the_rate_is_used_and_the_vendor_never_responds_429(usual: PacedResult) -> None:
    assert len(usual.created_at) == 600
    assert usual.answers_429 == 0
    assert usual.share_of_rate >= USED


def test_waiting_does_not_raise_the_receive_count(usual: PacedResult) -> None:
    assert not usual.retries
    assert not usual.sent_anew


def test_no_worker_is_starved(usual: PacedResult) -> None:
    assert len(usual.creates_of) == 8
    assert min(usual.creates_of.values()) >= 600 / 8 / 2


def test_the_oldest_message_waits_no_longer_than_the_backlog_needs(usual: PacedResult) -> None:
    assert 60 <= usual.oldest_age + 0.5 < 62


def test_one_write_reserves_many_slots(usual: PacedResult) -> None:
    # 60 batches, and the conflicts of 8 workers that all start at once.
    assert usual.writes_of_the_pace < 600 / 2


def test_the_slot_of_a_duplicate_is_used_by_another_request() -> None:
    result = run_paced(Load(duplicates=12, skew=SYNCHRONISED))
    assert (len(result.created_at), result.answers_429) == (600, 0)
    assert result.share_of_rate >= USED


def test_two_workers_use_a_rate_of_one_create_every_3_seconds() -> None:
    result = run_paced(
        Load(requests=120, duplicates=6, creates_per_minute=20, workers=2, batch_size=6, skew=SYNCHRONISED)
    )
    assert (len(result.created_at), result.answers_429) == (120, 0)
    assert result.share_of_rate >= USED
    assert not result.retries
    assert not result.sent_anew


def test_a_crash_wastes_at_most_the_slots_of_one_batch() -> None:
    result = run_paced(Load(requests=200, crashes=(5.0, 12.0)))
    assert result.lost > 0
    assert len(result.created_at) >= 200 - result.lost
    assert result.answers_429 == 0
    assert result.oldest_age <= 200 / 10 + 2 * 10 / 10 + 1


def test_a_429_slows_all_workers_down_and_the_pace_recovers() -> None:
    result = run_paced(Load(requests=400, slow_until=20))
    assert len(result.created_at) == 400
    assert 0 < result.answers_429 <= 30
    assert max(result.refused_at) < 22, "no create is rejected after the vendor has recovered"
    last = sorted(result.created_at)[-20:]
    assert last[-1] - last[0] < 19 * 0.1 * 4, "at the end, the pace is faster than the slowest one"


class EachWorkerForItself(PaceItem):
    """Each worker has its own pace, which the others do not know."""

    def change(self, change: Change[Result]) -> Result:
        self._known = type(self._known)(self._own(), None)
        pace, result = change(self._own())
        self._kept = pace
        return result

    def _own(self) -> Pace:
        return getattr(self, "_kept", Pace())


class NothingIsReturned(PaceItem):
    """Unused slots and 429s are not shared with the other workers."""

    def change(self, change: Change[Result]) -> Result:
        if change(Pace())[1] is None:
            raise LedgerUnavailable("only reservations are written")
        return super().change(change)


def test_a_pace_that_workers_do_not_share_is_refused_by_the_vendor() -> None:
    assert run_paced(Load(requests=200), Parts(pace_item=EachWorkerForItself)).answers_429 > 0


def test_slots_that_are_not_returned_are_wasted() -> None:
    load = Load(requests=300, duplicates=60)
    assert run_paced(load).share_of_rate - run_paced(load, Parts(pace_item=NothingIsReturned)).share_of_rate > 0.05


def test_without_sharing_a_429_the_vendor_sends_many_more() -> None:
    load = Load(requests=150, slow_until=10_000)
    shared, unshared = run_paced(load), run_paced(load, Parts(pace_item=NothingIsReturned))
    assert unshared.answers_429 > 3 * shared.answers_429
