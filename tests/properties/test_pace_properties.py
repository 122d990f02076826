"""In any order of reservations and returns, no two reserved slots are too close to each other."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from song_intake.admission.pace import MOST_SLOW, PAUSE_INTERVALS, RECOVERY_SECONDS, Pace
from tests.properties.simulation.profile import schedules

INTERVAL = 3.0
SOON = 0.5
START = 1_700_000_000.0
ROUNDING = 1e-6

Step = tuple[str, float, int]
steps = st.lists(
    st.tuples(st.sampled_from(("reserve", "reserve", "give back", "429")), st.floats(0, 20), st.integers(1, 12)),
    max_size=30,
)


@dataclass
class Workers:
    """All workers, and the slots that they hold or have used."""

    pace: Pace = field(default_factory=Pace)
    now: float = START
    held: list[float] = field(default_factory=list)

    def perform(self, step: Step) -> None:
        what, seconds, count = step
        self.now += seconds
        match what:
            case "reserve":
                self.pace, slots = self.pace.reserve(self.now + SOON, count, self.now + 60, INTERVAL)
                self.held += slots
            case "give back":
                future = [slot for slot in self.held if slot > self.now][-count:]
                self.held = [slot for slot in self.held if slot not in future]
                self.pace = self.pace.give_back(tuple(future), self.now)
            case _:
                self.pace = self.pace.slowed(self.now, None, INTERVAL)


def gaps(slots: Sequence[float]) -> list[float]:
    ordered = sorted(slots)
    return [later - earlier for earlier, later in itertools.pairwise(ordered)]


@schedules(suite=100, campaign=20_000)
@given(steps)
def test_no_two_slots_come_closer_than_the_interval(performed: list[Step]) -> None:
    workers = Workers()
    for step in performed:
        workers.perform(step)
    assert all(gap >= INTERVAL - ROUNDING for gap in gaps(workers.held))


@schedules(suite=100, campaign=20_000)
@given(steps, st.integers(1, 12), st.floats(0, 60))
def test_slots_are_within_the_given_time_and_in_order(performed: list[Step], count: int, patience: float) -> None:
    workers = Workers()
    for step in performed:
        workers.perform(step)
    earliest = workers.now + SOON
    _, slots = workers.pace.reserve(earliest, count, earliest + patience, INTERVAL)
    assert all(earliest <= slot <= earliest + patience for slot in slots)
    assert list(slots) == sorted(slots)
    assert len(slots) <= count


@schedules(suite=100, campaign=20_000)
@given(steps)
def test_without_a_429_no_slot_is_skipped_while_workers_reserve(performed: list[Step]) -> None:
    workers = Workers()
    for step in performed:
        workers.perform(step if step[0] != "429" else ("reserve", *step[1:]))
    before = workers.pace
    after, slots = before.reserve(workers.now + SOON, 20, workers.now + 1000, INTERVAL)
    usable = [slot for slot in before.free if slot >= workers.now + SOON]
    assert list(slots[: len(usable)]) == usable, "returned slots are reserved first"
    assert slots[len(usable)] == pytest.approx(max(before.next_at, workers.now + SOON))
    assert after.next_at == pytest.approx(slots[-1] + INTERVAL)


def test_after_a_429_there_is_a_pause_of_some_intervals_and_then_half_the_pace() -> None:
    slowed = Pace().slowed(START, None, INTERVAL)
    _, slots = slowed.reserve(START + SOON, 3, START + 60, INTERVAL)
    assert slots[0] == START + PAUSE_INTERVALS * INTERVAL
    assert gaps(slots) == pytest.approx([2 * INTERVAL] * 2, rel=0.02)


def test_a_retry_after_holds_for_all_workers() -> None:
    _, slots = Pace().slowed(START, 100.0, INTERVAL).reserve(START, 1, START + 200, INTERVAL)
    assert slots == (START + 100,)


def test_a_429_for_a_create_sent_before_the_slower_pace_does_not_slow_it_again() -> None:
    once = Pace().slowed(START, None, INTERVAL)
    assert once.slowed(START + 1, None, INTERVAL).slow == once.slow
    assert once.slowed(once.slow_from, None, INTERVAL).slow == pytest.approx(2 * once.slow)


def test_a_429_during_the_pause_extends_it() -> None:
    once = Pace().slowed(START, None, INTERVAL)
    assert once.slowed(START + 1, 50.0, INTERVAL).next_at == START + 51


def test_the_pace_slows_down_to_an_eighth_at_most_and_recovers() -> None:
    pace, now = Pace(), START
    for _ in range(10):
        pace = pace.slowed(now, None, INTERVAL)
        now = pace.slow_from
    assert pace.slowness(now) == MOST_SLOW
    halfway, end = now + RECOVERY_SECONDS / 2, now + RECOVERY_SECONDS
    assert [pace.slowness(at) for at in (halfway, end, end + 1)] == [pytest.approx((MOST_SLOW + 1) / 2), 1, 1]


@pytest.mark.parametrize("interval", [0.1, 12.5, 20.0, 60.0, 200.0])
def test_slots_of_a_slower_pace_are_at_most_8_intervals_and_100_seconds_apart(interval: float) -> None:
    pace, now = Pace(), START
    for _ in range(10):
        pace = pace.slowed(now, None, interval)
        now = pace.slow_from
    assert pace.slowness(now) * interval == pytest.approx(max(interval, min(8 * interval, 100)))


def test_slots_from_before_a_429_are_not_reserved_again_after_it() -> None:
    pace, before = Pace().reserve(START, 4, START + 60, INTERVAL)
    slowed = pace.give_back(before[:2], START).slowed(START, None, INTERVAL)
    assert slowed.free == ()
    assert slowed.give_back(before[2:], START).free == ()


HOUR = 3_600.0
DAY = 24 * HOUR


@pytest.mark.parametrize("ahead", [HOUR, DAY, 400 * DAY])
def test_a_clock_that_was_ahead_for_a_moment_does_not_stop_the_others(ahead: float) -> None:
    """It reserved slots, and gave some back."""
    pace, slots = Pace().reserve(START + ahead, 7, START + ahead + 60, INTERVAL)
    _, after_a_429 = pace.slowed(START, None, INTERVAL).reserve(START, 1, START + 60, INTERVAL)
    assert after_a_429 == (START + PAUSE_INTERVALS * INTERVAL,)
    for wrong in (pace, pace.give_back(slots[3:], START + ahead)):
        after, right = wrong.reserve(START, 3, START + 60, INTERVAL)
        assert right == (START, START + INTERVAL, START + 2 * INTERVAL)
        assert after.free == ()


def test_a_429_met_by_a_clock_that_was_ahead_holds_for_a_day_at_most() -> None:
    slowed = Pace().slowed(START + 400 * DAY, None, INTERVAL)
    assert len(slowed.reserve(START, 3, START + 60, INTERVAL)[1]) == 3


@pytest.mark.parametrize("interval", [0.1, INTERVAL, 200.0])
def test_the_longest_wait_that_a_429_names_is_kept_with_the_slots_behind_it(interval: float) -> None:
    slowed = Pace().slowed(START, DAY, interval)
    ahead, slots = slowed.reserve(START + DAY - 60, 3, START + DAY + 800, interval)
    assert slots[0] == START + DAY
    assert ahead.reserve(START + DAY - 60, 1, START + DAY + 900, interval)[1][:1] == (ahead.next_at,)
    assert slowed.reserve(START, 1, START + 60, interval) == (slowed, ())


def test_a_past_slot_is_not_reserved_again() -> None:
    pace, slots = Pace().reserve(START, 2, START + 60, INTERVAL)
    assert pace.give_back(slots, START + 1).free == slots[1:]
