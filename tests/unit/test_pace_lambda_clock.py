"""Two workers read the same time, however wrong their own clocks are."""

from collections.abc import Callable

import pytest

from song_intake.admission.pace import LambdaClock
from tests.performance.virtual_time import Process, VirtualTime

TIMEOUT = 240.0
START = 1_700_000_000.0


def times_read(skew: float, *moments: float) -> list[float]:
    """The times that a worker with this clock skew reads, at these seconds after its invocation began."""
    time, seen = VirtualTime(START), []

    def work() -> None:
        # The runtime client computes it: the deadline that the service set, minus the worker's own clock.
        clock = LambdaClock.at_start(time_left(), TIMEOUT)
        for moment in moments:
            time.sleep(START + moment - time.now)
            seen.append(clock.now())

    def time_left() -> float:
        return START + TIMEOUT - (time.now + skew)

    with time.clock():
        time.start(Process(skew), work)
        time.run()
    return seen


@pytest.mark.parametrize("skew", [0.0, 2.0, -2.0, 3600.0, -86_400.0])
def test_clock_skew_does_not_change_the_time(skew: float) -> None:
    assert times_read(skew, 0, 1, 100) == pytest.approx([START, START + 1, START + 100], abs=1e-5)


def test_a_clock_that_is_set_during_the_invocation_does_not_change_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now: Callable[[], float] = iter([START, START + 5000]).__next__
    monkeypatch.setattr("time.time", now)
    clock = LambdaClock.at_start(TIMEOUT, TIMEOUT)
    first, now_set, second = clock.now(), now(), clock.now()
    assert now_set - START == 5000
    assert second - first < 1
