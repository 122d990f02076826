"""Each CreatesPerMinute with its row of the template, in virtual time: slow connects and 429s. A campaign runs all."""

import itertools
import math
from typing import Final

import pytest

from tests.performance.paced import Load, PacedResult, run_paced
from tests.performance.paced_surroundings import Closure
from tests.properties.simulation.profile import IS_CAMPAIGN
from tests.template.transformed import shipped

USED: Final = 0.98
ROWS: Final = {int(pace): row for pace, row in shipped()["Mappings"]["Paces"].items() if pace != "0"}
CONNECTS: Final = (0.05, 0.3, 1.4, 3.0, 4.5)
FITS_AN_INVOCATION: Final = 40
RESUMES_WITHIN: Final = 120.0
RETRY_AFTERS: Final = (None, 1, 10, FITS_AN_INVOCATION, 300, 3600, 86_400)
"""Seconds. None: the vendor answers 429 for a minute, and does not name the time."""

ALL: Final = list(itertools.product(ROWS, CONNECTS))
SUITE: Final = [*itertools.product((1, 10, 20), CONNECTS), (60, 4.5), (600, 1.4)]
ALL_429: Final = list(itertools.product(ROWS, CONNECTS, RETRY_AFTERS))
ALL_SILENT: Final = list(itertools.product(ROWS, (0.3, 4.5), (600, 3600)))
SUITE_SILENT: Final = [(1, 0.3, 3600), (10, 4.5, 600)]
SUITE_429: Final = [*itertools.product((1, 20), (0.05, 4.5), (None, FITS_AN_INVOCATION, 3600)), (60, 1.4, 40)]


def run(pace: int, connect: float, closed: Closure | None = None, latency: float = 2.0, times: int = 1) -> PacedResult:
    """times: how much longer than usual the run is."""
    row, requests = ROWS[pace], max(60, min(600, 2 * pace)) * times
    return run_paced(
        Load(
            requests=requests,
            creates_per_minute=pace,
            workers=row["MaximumConcurrency"],
            batch_size=row["BatchSize"],
            function_timeout=row["Timeout"],
            connect=(0.9 * connect, 1.05 * connect),
            latency=(0.8 * latency, latency),
            closed=closed or Closure(math.inf, 0),
        )
    )


@pytest.mark.parametrize(("pace", "connect"), ALL if IS_CAMPAIGN else SUITE)
@pytest.mark.parametrize("latency", [2.0, 15.0] if IS_CAMPAIGN else [2.0])
def test_slow_connects_cost_no_rate_no_429_and_no_receive(pace: int, connect: float, latency: float) -> None:
    # With long calls the first batches lose some slots once.
    result = run(pace, connect, latency=latency, times=4 if latency > 10 else 1)
    assert result.share_of_rate >= USED
    assert (result.answers_429, result.retries, result.sent_anew, result.dead_letters) == (0, {}, {}, {})


@pytest.mark.parametrize(("pace", "connect", "retry_after"), ALL_429 if IS_CAMPAIGN else SUITE_429)
def test_after_a_429_each_worker_waits_and_then_uses_the_slower_pace(
    pace: int, connect: float, retry_after: int | None
) -> None:
    began = 10 + 20 * 60 / pace
    closed = Closure(began, retry_after or 60, names_the_time=retry_after is not None)
    # A longer Retry-After pauses the process, and after a pause one request is tried before the others.
    is_pause = (retry_after or 0) > FITS_AN_INVOCATION
    # Enough requests for the time after the pause at a fast pace, and for one lost slot to be less than 2 %.
    result = run(pace, connect, closed, times=4 if IS_CAMPAIGN or (is_pause and pace > 60) else 1)
    assert len(result.created_at) == result.load.requests
    assert not result.dead_letters
    assert result.share_of_slower_pace(RESUMES_WITHIN if is_pause else 0) >= USED
    if retry_after is not None:
        # The others use the slots that they hold, until one of their own creates is refused.
        assert result.answers_429 <= 2 * result.load.workers
    if retry_after is None or retry_after <= FITS_AN_INVOCATION:
        assert set(result.retries) <= {"RATE_LIMITED"}, "only the requests that were refused spend a receive"


@pytest.mark.parametrize(("pace", "connect", "seconds"), ALL_SILENT if IS_CAMPAIGN else SUITE_SILENT)
def test_429s_without_a_retry_after_spend_only_receives_of_refused_requests_however_long_they_last(
    pace: int, connect: float, seconds: int
) -> None:
    result = run(pace, connect, Closure(10 + 20 * 60 / pace, seconds, names_the_time=False))
    assert (len(result.created_at), result.dead_letters) == (result.load.requests, {})
    assert set(result.retries) == {"RATE_LIMITED"}
    # Only a batch of which a create was refused may run out of slots: the workers do not receive the whole backlog.
    assert result.sent_anew["PACED"] <= result.answers_429 * result.load.batch_size
