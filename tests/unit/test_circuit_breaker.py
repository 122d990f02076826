"""What one process does about an account fault: it tries one request a minute and reports the fault."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from song_intake.admission.circuit_breaker import RESTS_UNTIL_FORGOTTEN, TRIAL_SECONDS, CircuitBreaker, ReportFault
from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import ACCOUNT_FAULTS, Reason

REST = 60.0
BROKE = Retryable(Reason.NO_CREDITS, "no credits", 402)
OTHER_OUTCOMES = [
    Refused(Reason.REFUSED, "refused"),
    Unknown("no answer"),
    Retryable(Reason.RATE_LIMITED, "rate limited"),
    Retryable(Reason.CANNOT_CONNECT, "no connection"),
]

Advance = Callable[[float], None]


def reporting_to(reports: list[Reason]) -> ReportFault:
    """Accepts and stores every report."""

    def report(reason: Reason) -> bool:
        reports.append(reason)
        return True

    return report


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Advance:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def advance(seconds: float) -> None:
        nonlocal now
        now += seconds

    return advance


@pytest.fixture
def reports() -> list[Reason]:
    return []


@pytest.fixture
def breaker(advance: Advance, reports: list[Reason]) -> CircuitBreaker:
    return CircuitBreaker(REST, reporting_to(reports))


def test_without_a_fault_every_request_is_tried(breaker: CircuitBreaker) -> None:
    assert [breaker.fault() for _ in range(10)] == [None] * 10


@pytest.mark.parametrize("reason", sorted(ACCOUNT_FAULTS))
def test_after_an_account_fault_no_request_is_tried_and_the_fault_is_the_reason(
    breaker: CircuitBreaker, reason: Reason
) -> None:
    breaker.record_outcome(Retryable(reason, "the detail", 402, "code"))
    fault = breaker.fault()
    assert fault is not None
    assert (fault.reason, fault.retry_after) == (reason, None)
    assert fault.detail == "not sent, because another request found: the detail"


@pytest.mark.parametrize("outcome", OTHER_OUTCOMES, ids=str)
def test_other_outcomes_neither_open_nor_close_the_circuit(
    breaker: CircuitBreaker, reports: list[Reason], outcome: Outcome
) -> None:
    breaker.record_outcome(outcome)
    assert breaker.fault() is None
    breaker.record_outcome(BROKE)
    breaker.record_outcome(outcome)
    assert breaker.fault() is not None
    assert reports == [Reason.NO_CREDITS]


def test_after_the_rest_one_request_is_tried_and_the_others_retry_soon(
    breaker: CircuitBreaker, advance: Advance
) -> None:
    breaker.record_outcome(BROKE)
    advance(REST - 1)
    assert breaker.fault() is not None
    advance(1)
    assert breaker.fault() is None
    others = [breaker.fault() for _ in range(9)]
    assert [other.retry_after for other in others if other] == [TRIAL_SECONDS] * 9


def test_a_created_song_closes_the_circuit(breaker: CircuitBreaker, advance: Advance) -> None:
    breaker.record_outcome(BROKE)
    advance(REST)
    breaker.fault()
    breaker.record_outcome(Created("task-1"))
    assert [breaker.fault() for _ in range(10)] == [None] * 10


def test_a_repeated_fault_opens_the_circuit_for_another_rest(breaker: CircuitBreaker, advance: Advance) -> None:
    breaker.record_outcome(BROKE)
    for _ in range(3):
        advance(REST)
        assert breaker.fault() is None
        breaker.record_outcome(BROKE)
        advance(REST - 1)
        fault = breaker.fault()
        assert fault is not None
        assert fault.retry_after is None
        advance(1)


def test_a_trial_without_a_recorded_outcome_is_followed_by_another(breaker: CircuitBreaker, advance: Advance) -> None:
    breaker.record_outcome(BROKE)
    advance(REST)
    assert breaker.fault() is None
    advance(REST - 1)
    assert breaker.fault() is not None
    advance(1)
    assert breaker.fault() is None


def test_a_fault_expires_when_no_outcome_is_recorded_for_long(breaker: CircuitBreaker, advance: Advance) -> None:
    breaker.record_outcome(BROKE)
    advance(RESTS_UNTIL_FORGOTTEN * REST)
    assert [breaker.fault() for _ in range(10)] == [None] * 10


def test_a_fault_is_reported_once_and_again_after_every_trial(
    breaker: CircuitBreaker, advance: Advance, reports: list[Reason]
) -> None:
    for _ in range(10):
        breaker.record_outcome(BROKE)
    assert reports == [Reason.NO_CREDITS]
    advance(REST)
    breaker.fault()
    for _ in range(10):
        breaker.record_outcome(BROKE)
    assert reports == [Reason.NO_CREDITS] * 2


def test_a_fault_found_after_the_rest_is_reported_even_without_a_trial(
    breaker: CircuitBreaker, advance: Advance, reports: list[Reason]
) -> None:
    breaker.record_outcome(BROKE)
    advance(REST)
    breaker.record_outcome(BROKE)
    assert len(reports) == 2


def test_a_failed_report_is_repeated_with_the_next_fault(advance: Advance) -> None:
    answers = iter([False, False, True])
    breaker = CircuitBreaker(REST, lambda _: next(answers))
    for _ in range(10):
        breaker.record_outcome(BROKE)
    assert list(answers) == []


def test_one_of_many_threads_that_find_the_fault_together_reports_it() -> None:
    reports: list[Reason] = []
    breaker = CircuitBreaker(REST, reporting_to(reports))
    together = Barrier(10)

    def find(_: int) -> None:
        together.wait()
        breaker.record_outcome(BROKE)

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(find, range(10)))
    assert reports == [Reason.NO_CREDITS]
