"""What one process does about a shared fault: it stops, reports it, and tries one request at a time."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from song_intake.admission.circuit_breaker import (
    CLOSED_SECONDS,
    FAULTS_IN_A_ROW,
    FIRST_HOLD_SECONDS,
    LONGEST_HOLD_SECONDS,
    LONGEST_TRIAL_SECONDS,
    TRIAL_SECONDS,
    Attempt,
    CircuitBreaker,
)
from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import ACCOUNT_FAULTS, SHARED, Reason

PATIENCE = 60.0
SONG = Created("task-1")
NO_CREDITS = Retryable(Reason.NO_CREDITS, "no credits", 402)
NO_CONNECTION = Retryable(Reason.CANNOT_CONNECT, "no connection")
REFUSED = Refused(Reason.REFUSED, "too long", 422, "validation_error")
FORBIDDEN = Refused(Reason.REFUSED, "forbidden", 403, "forbidden")
UNKNOWN = Unknown("no response")

# Certain at once: no other request would fare better.
AT_ONCE = ACCOUNT_FAULTS | {Reason.BUDGET_SPENT}

# Each may be bad luck of one request; three in a row are not.
COUNTED: list[Outcome] = [
    NO_CONNECTION,
    UNKNOWN,
    FORBIDDEN,
    *(Retryable(reason, "x") for reason in sorted(SHARED - AT_ONCE - {Reason.PACED, Reason.RATE_LIMITED})),
]

Advance = Callable[[float], None]
Reports = list[tuple[Reason, float | None]]


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Advance:
    """The wall clock; the monotonic one stands still, as in a process that Lambda freezes."""
    now = 1_700_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)

    def advance(seconds: float) -> None:
        nonlocal now
        now += seconds

    return advance


@pytest.fixture
def reports() -> Reports:
    return []


@pytest.fixture
def breaker(advance: Advance, reports: Reports) -> CircuitBreaker:
    def report(reason: Reason, until: float | None) -> bool:
        reports.append((reason, until))
        return True

    return CircuitBreaker(report, PATIENCE)


def is_closed(breaker: CircuitBreaker) -> bool:
    with breaker.attempt() as one, breaker.attempt() as another:
        return isinstance(one, Attempt) and isinstance(another, Attempt)


def refusal_of(breaker: CircuitBreaker) -> Retryable:
    with breaker.attempt() as attempt:
        assert isinstance(attempt, Retryable)
        return attempt


def test_at_first_every_request_is_tried(breaker: CircuitBreaker, reports: Reports) -> None:
    assert is_closed(breaker)
    assert (breaker.refusal(), reports) == (None, [])


@pytest.mark.parametrize("reason", sorted(ACCOUNT_FAULTS))
def test_an_account_fault_opens_the_breaker_at_once(breaker: CircuitBreaker, reports: Reports, reason: Reason) -> None:
    breaker.record(Retryable(reason, "found"))
    refusal = refusal_of(breaker)
    assert (refusal.reason, refusal.retry_after) == (reason, FIRST_HOLD_SECONDS)
    assert refusal.detail == "not tried, since another request found: found"
    assert reports == [(reason, None)]


def test_a_retry_after_beyond_the_invocation_opens_it_until_then(
    breaker: CircuitBreaker, reports: Reports, advance: Advance
) -> None:
    breaker.record(Retryable(Reason.RATE_LIMITED, "fewer", 429, retry_after=86_400))
    assert reports == [(Reason.RATE_LIMITED, time.time() + 86_400)]
    advance(86_399)
    assert refusal_of(breaker).retry_after == 1
    advance(1)
    assert breaker.refusal() is None


@pytest.mark.parametrize("retry_after", [None, 0, PATIENCE])
def test_a_shorter_retry_after_is_left_to_the_pace(breaker: CircuitBreaker, retry_after: float | None) -> None:
    for _ in range(10):
        breaker.record(Retryable(Reason.RATE_LIMITED, "fewer", 429, retry_after=retry_after))
    assert is_closed(breaker)


def test_waiting_for_the_pace_is_no_fault(breaker: CircuitBreaker) -> None:
    for _ in range(10):
        breaker.record(Retryable(Reason.PACED, "no slot", retry_after=300))
    assert is_closed(breaker)


@pytest.mark.parametrize("outcome", COUNTED, ids=str)
def test_three_faults_of_one_kind_in_a_row_open_it(breaker: CircuitBreaker, reports: Reports, outcome: Outcome) -> None:
    for _ in range(FAULTS_IN_A_ROW - 1):
        breaker.record(outcome)
        assert is_closed(breaker)
    breaker.record(outcome)
    assert refusal_of(breaker).reason in SHARED
    assert len(reports) == 1


def test_unknown_outcomes_are_the_vendors_fault_and_the_same_403_is_the_endpoints(breaker: CircuitBreaker) -> None:
    record_in_a_row(breaker, UNKNOWN)
    assert refusal_of(breaker).reason is Reason.VENDOR_FAILING
    breaker.record(SONG)
    record_in_a_row(breaker, FORBIDDEN)
    assert refusal_of(breaker).reason is Reason.ENDPOINT_REFUSED


@pytest.mark.parametrize("sign_of_life", [SONG, REFUSED], ids=["a create", "a refusal of one request"])
@pytest.mark.parametrize("outcome", [NO_CONNECTION, UNKNOWN], ids=str)
def test_a_sign_of_life_begins_the_count_again(
    breaker: CircuitBreaker, outcome: Outcome, sign_of_life: Outcome
) -> None:
    for _ in range(5):
        breaker.record(outcome)
        breaker.record(outcome)
        breaker.record(sign_of_life)
    assert is_closed(breaker)


def test_different_403s_are_the_requests_own(breaker: CircuitBreaker) -> None:
    for number in range(10):
        breaker.record(Refused(Reason.REFUSED, f"refused: {number}", 403, "forbidden"))
    assert is_closed(breaker)


def test_after_the_hold_one_request_at_a_time_is_tried(breaker: CircuitBreaker, advance: Advance) -> None:
    breaker.record(NO_CREDITS)
    advance(FIRST_HOLD_SECONDS)
    with breaker.attempt() as trial:
        assert isinstance(trial, Attempt)
        assert refusal_of(breaker).retry_after == TRIAL_SECONDS
        refusal = breaker.refusal()
        assert refusal is not None
        assert refusal.reason is Reason.NO_CREDITS
    # It ended without an outcome (a duplicate, no slot): the next one is the trial.
    with breaker.attempt() as trial:
        assert isinstance(trial, Attempt)
        trial.record(REFUSED)
    with breaker.attempt() as trial:
        assert isinstance(trial, Attempt)
        assert isinstance(refusal_of(breaker), Retryable)
        trial.record(SONG)
    assert is_closed(breaker)


def record_in_a_row(breaker: CircuitBreaker, outcome: Outcome) -> None:
    for _ in range(FAULTS_IN_A_ROW):
        breaker.record(outcome)


def fail_a_trial(breaker: CircuitBreaker, outcome: Outcome) -> None:
    with breaker.attempt() as trial:
        assert isinstance(trial, Attempt)
        trial.record(outcome)


@pytest.mark.parametrize("outcome", [UNKNOWN, FORBIDDEN], ids=str)
def test_a_hold_doubles_while_requests_keep_coming_and_a_trial_costs_something(
    breaker: CircuitBreaker, advance: Advance, reports: Reports, outcome: Outcome
) -> None:
    record_in_a_row(breaker, outcome)
    advance(FIRST_HOLD_SECONDS)
    hold = FIRST_HOLD_SECONDS
    for openings in range(1, 12):
        fail_a_trial(breaker, outcome)
        hold = min(2 * hold, LONGEST_HOLD_SECONDS)
        assert refusal_of(breaker).retry_after == hold
        assert len(reports) == openings + 1
        advance(hold)


@pytest.mark.parametrize("opened_by", [NO_CREDITS, NO_CONNECTION, UNKNOWN], ids=str)
def test_a_403_in_the_trial_of_another_fault_may_be_this_requests_own(
    breaker: CircuitBreaker, advance: Advance, reports: Reports, opened_by: Outcome
) -> None:
    record_in_a_row(breaker, opened_by)
    advance(FIRST_HOLD_SECONDS)
    for _ in range(FAULTS_IN_A_ROW - 1):
        fail_a_trial(breaker, FORBIDDEN)
    assert len(reports) == 1
    fail_a_trial(breaker, FORBIDDEN)
    assert [reason for reason, _ in reports[1:]] == [Reason.ENDPOINT_REFUSED]


def test_one_failure_that_several_threads_share_is_one_fault(breaker: CircuitBreaker) -> None:
    for _ in range(FAULTS_IN_A_ROW - 1):
        breaker.record(NO_CONNECTION)
        for _ in range(9):
            breaker.record(replace(NO_CONNECTION, is_repeat=True))
    assert is_closed(breaker)
    breaker.record(NO_CONNECTION)
    assert refusal_of(breaker).reason is Reason.CANNOT_CONNECT


@pytest.mark.parametrize("outcome", [NO_CREDITS, NO_CONNECTION], ids=str)
def test_a_fault_whose_trial_creates_nothing_is_tried_each_minute(
    breaker: CircuitBreaker, advance: Advance, outcome: Outcome
) -> None:
    record_in_a_row(breaker, outcome)
    for _ in range(10):
        assert refusal_of(breaker).retry_after == FIRST_HOLD_SECONDS
        advance(FIRST_HOLD_SECONDS)
        fail_a_trial(breaker, outcome)


def test_a_hold_does_not_outlast_the_pause_of_the_intake(breaker: CircuitBreaker, advance: Advance) -> None:
    breaker.record(NO_CREDITS)
    for _ in range(10):
        # No request comes for a while after the hold: the intake was closed, and is open again.
        advance(FIRST_HOLD_SECONDS + CLOSED_SECONDS)
        fail_a_trial(breaker, UNKNOWN)
        assert refusal_of(breaker).retry_after == FIRST_HOLD_SECONDS


def test_a_create_ends_the_doubling(breaker: CircuitBreaker, advance: Advance) -> None:
    breaker.record(NO_CREDITS)
    advance(FIRST_HOLD_SECONDS)
    breaker.record(UNKNOWN)
    breaker.record(SONG)
    record_in_a_row(breaker, UNKNOWN)
    assert refusal_of(breaker).retry_after == FIRST_HOLD_SECONDS


def test_a_trial_whose_thread_never_comes_back_does_not_block_the_next_one_for_ever(
    breaker: CircuitBreaker, advance: Advance
) -> None:
    breaker.record(NO_CREDITS)
    advance(FIRST_HOLD_SECONDS)
    assert breaker.begin_trial(breaker.attempt()) is None
    assert breaker.begin_trial(breaker.attempt()) is not None
    advance(LONGEST_TRIAL_SECONDS)
    assert breaker.begin_trial(breaker.attempt()) is None


def test_a_create_that_began_before_the_fault_does_not_end_the_trial_of_another(
    breaker: CircuitBreaker, advance: Advance
) -> None:
    with breaker.attempt():
        breaker.record(NO_CREDITS)
        advance(FIRST_HOLD_SECONDS)
        assert breaker.begin_trial(breaker.attempt()) is None
    assert breaker.begin_trial(breaker.attempt()) is not None


def test_a_clock_that_was_set_back_ends_the_hold(breaker: CircuitBreaker, advance: Advance) -> None:
    breaker.record(NO_CREDITS)
    advance(-1)
    assert breaker.refusal() is None


def test_the_other_requests_of_a_batch_do_not_report_the_fault_again(breaker: CircuitBreaker, reports: Reports) -> None:
    for _ in range(10):
        breaker.record(NO_CREDITS)
    assert reports == [(Reason.NO_CREDITS, None)]


def test_a_report_that_failed_is_repeated_by_the_next_request_that_finds_the_fault(advance: Advance) -> None:
    answers = iter([False, True])
    reports: list[Reason] = []

    def report(reason: Reason, _until: float | None) -> bool:
        reports.append(reason)
        return next(answers)

    breaker = CircuitBreaker(report, PATIENCE)
    for _ in range(5):
        breaker.record(NO_CREDITS)
    assert reports == [Reason.NO_CREDITS] * 2


def test_of_many_threads_one_gets_the_trial(breaker: CircuitBreaker, advance: Advance) -> None:
    breaker.record(NO_CREDITS)
    advance(FIRST_HOLD_SECONDS)
    barrier = Barrier(20)

    def begin(_: int) -> bool:
        barrier.wait()
        return breaker.begin_trial(breaker.attempt()) is None

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(begin, range(20))) == 1


def test_a_spent_budget_opens_it_at_once_for_a_short_hold_and_is_reported_until_the_day_ends(
    breaker: CircuitBreaker, reports: Reports
) -> None:
    """The intake resumes where the budget has room again before the day ends. The breaker must not outlast that."""
    until = time.time() + 9 * 3600
    breaker.record(Retryable(Reason.BUDGET_SPENT, "spent", retry_after=9 * 3600))
    assert not is_closed(breaker)
    assert (refusal_of(breaker).retry_after or 0) <= FIRST_HOLD_SECONDS
    ((reason, reported),) = reports
    assert reason is Reason.BUDGET_SPENT
    assert reported == pytest.approx(until, abs=5)


def test_a_sender_over_its_budget_stops_nobody_else(breaker: CircuitBreaker) -> None:
    for _ in range(10):
        breaker.record(Retryable(Reason.SENDER_BUDGET_SPENT, "spent", retry_after=9 * 3600))
    assert is_closed(breaker)
