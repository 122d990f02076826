"""Two workers tell the same time, however wrong their own clocks are."""

from collections.abc import Callable

import pytest

from song_intake.admission.pace import LambdaClock
from tests.performance.virtual_time import Process, VirtualTime

TIMEOUT = 240.0
START = 1_700_000_000.0


def told(skew: float, *looks: float) -> list[float]:
    """What a worker with such a clock takes for the time, so many seconds after its invocation began."""
    time, seen = VirtualTime(START), []

    def work() -> None:
        # As the runtime client tells it: the deadline that the service set, less what the own clock says.
        clock = LambdaClock.at_start(time_left(), TIMEOUT)
        for look in looks:
            time.sleep(START + look - time.now)
            seen.append(clock.now())

    def time_left() -> float:
        return START + TIMEOUT - (time.now + skew)

    with time.clock():
        time.start(Process(skew), work)
        time.run()
    return seen


@pytest.mark.parametrize("skew", [0.0, 2.0, -2.0, 3600.0, -86_400.0])
def test_a_wrong_clock_does_no_harm(skew: float) -> None:
    assert told(skew, 0, 1, 100) == pytest.approx([START, START + 1, START + 100], abs=1e-5)


def test_a_clock_that_is_set_meanwhile_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    now: Callable[[], float] = iter([START, START + 5000]).__next__
    monkeypatch.setattr("time.time", now)
    clock = LambdaClock.at_start(TIMEOUT, TIMEOUT)
    first, now_set, second = clock.now(), now(), clock.now()
    assert now_set - START == 5000
    assert second - first < 1
