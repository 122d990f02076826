"""The same refusal of request after request is reported, and nothing else is."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from song_intake.admission.circuit_breaker import CircuitBreaker
from song_intake.admission.refusal_streak import REFUSALS_IN_A_ROW, RefusalStreak
from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import Reason

NEARLY = REFUSALS_IN_A_ROW - 1


def refused(status: int | None = 422, code: str | None = "validation_error", detail: str = "HTTP 422") -> Refused:
    return Refused(Reason.REFUSED, detail, status, code)


@pytest.fixture
def reports() -> list[Refused]:
    return []


@pytest.fixture
def streak(reports: list[Refused]) -> RefusalStreak:
    return RefusalStreak(reports.append)


def record(streak: RefusalStreak, outcome: Outcome, times: int = 1) -> None:
    for _ in range(times):
        streak.record(outcome)


@pytest.mark.parametrize("status", [400, 422])
def test_the_same_refusal_of_ten_requests_in_a_row_is_reported_once(
    streak: RefusalStreak, reports: list[Refused], status: int
) -> None:
    record(streak, refused(status), NEARLY)
    assert reports == []
    record(streak, refused(status), 1 + NEARLY)
    assert reports == [refused(status)]
    record(streak, refused(status))
    assert len(reports) == 2, "each report needs ten"


@pytest.mark.parametrize(
    "other",
    [
        Created("task-1"),
        refused(400),
        refused(code="another"),
        refused(detail="HTTP 422; terms found in the vendor's message: lyrics"),
        refused(413),
    ],
    ids=["a create", "another status", "another code", "another detail", "another kind of refusal"],
)
def test_a_create_or_another_refusal_ends_the_streak(
    streak: RefusalStreak, reports: list[Refused], other: Outcome
) -> None:
    for _ in range(3):
        record(streak, refused(), NEARLY)
        record(streak, other)
    assert reports == []


@pytest.mark.parametrize(
    "other",
    [Unknown("no answer"), Retryable(Reason.RATE_LIMITED, "too fast"), Retryable(Reason.CANNOT_CONNECT, "none")],
    ids=lambda other: other.reason,
)
def test_what_is_no_answer_about_a_request_does_not_end_the_streak(
    streak: RefusalStreak, reports: list[Refused], other: Outcome
) -> None:
    record(streak, refused(), NEARLY)
    record(streak, other, 20)
    record(streak, refused())
    assert reports == [refused()]


@pytest.mark.parametrize("status", [403, 413, 414, None])
def test_other_refusals_are_not_counted(streak: RefusalStreak, reports: list[Refused], status: int | None) -> None:
    record(streak, refused(status), 50)
    assert reports == []


def test_threads_count_together(streak: RefusalStreak, reports: list[Refused]) -> None:
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(streak.record, [refused()] * 20 * REFUSALS_IN_A_ROW))
    assert len(reports) == 20


def test_a_streak_opens_no_breaker(streak: RefusalStreak, reports: list[Refused]) -> None:
    breaker = CircuitBreaker(refusals=streak)
    for _ in range(2 * REFUSALS_IN_A_ROW):
        breaker.record(refused())
    assert (len(reports), breaker.refusal()) == (2, None)
