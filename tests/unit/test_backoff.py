"""How long a message waits. Only randomness is patched, to get the longest and the shortest wait."""

import random

import pytest

from song_intake.domain.decision import RetryIn
from song_intake.domain.outcome import Retryable
from song_intake.domain.reason import Reason
from song_intake.work.backoff import LONGEST_WAIT_SECONDS, Backoff

BACKOFF = Backoff(base=4, cap=100)


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)


@pytest.fixture
def shortest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, _high: low)


@pytest.mark.usefixtures("longest")
@pytest.mark.parametrize(("receives", "most"), [(1, 4), (2, 8), (3, 16), (5, 64), (6, 100), (7, 100), (100_000, 100)])
def test_the_longest_wait_doubles_with_every_receive_up_to_the_cap(receives: int, most: float) -> None:
    assert BACKOFF.after(receives) == most


@pytest.mark.usefixtures("shortest")
def test_the_jitter_is_full() -> None:
    assert BACKOFF.after(5) == 0


@pytest.mark.usefixtures("shortest")
def test_a_wait_is_never_shorter_than_the_music_api_asked_for() -> None:
    assert BACKOFF.after(1, asked=30) == 30


@pytest.mark.usefixtures("longest")
def test_the_music_apis_wait_may_exceed_our_cap_and_never_shortens_our_wait() -> None:
    assert BACKOFF.after(1, asked=900) == 900
    assert BACKOFF.after(6, asked=1) == 100


@pytest.mark.usefixtures("longest")
def test_no_wait_exceeds_the_longest_visibility_timeout_of_sqs() -> None:
    endless = Backoff(base=10**6, cap=10**6)
    assert endless.after(9) == LONGEST_WAIT_SECONDS
    assert endless.after(1, asked=10**9) == LONGEST_WAIT_SECONDS
    assert endless.account_fault() <= LONGEST_WAIT_SECONDS


def test_an_account_fault_waits_near_the_cap() -> None:
    assert all(50 <= BACKOFF.account_fault() <= 100 for _ in range(200))


def test_messages_that_failed_together_do_not_come_back_together() -> None:
    assert len({BACKOFF.after(4) for _ in range(50)}) > 40


@pytest.mark.parametrize(("asked", "wait"), [(None, 0), (-5, 0), (0, 0), (30, 30), (100, 100), (101, 100)], ids=str)
def test_a_wait_for_a_known_moment_is_exact_up_to_the_cap(asked: float | None, wait: float) -> None:
    assert BACKOFF.until(asked) == wait


def test_a_known_moment_may_be_further_away_than_sqs_hides_a_message() -> None:
    endless = Backoff(base=1, cap=10**6)
    assert endless.until(10**9) == LONGEST_WAIT_SECONDS


@pytest.mark.usefixtures("shortest")
@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        (None, 0),
        (30, 30),
        (LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS),
        (LONGEST_WAIT_SECONDS + 1, 0.75 * LONGEST_WAIT_SECONDS),
    ],
    ids=str,
)
def test_a_wait_for_the_next_day_ends_over_some_hours_if_sqs_cannot_hide_a_message_for_so_long(
    asked: float | None, wait: float
) -> None:
    assert BACKOFF.next_day(asked) == wait


@pytest.mark.usefixtures("longest")
def test_the_last_of_these_waits_is_the_longest_of_sqs() -> None:
    assert BACKOFF.next_day(2 * LONGEST_WAIT_SECONDS) == LONGEST_WAIT_SECONDS


NO_CREDITS, BUDGET = Reason.NO_CREDITS, Reason.BUDGET_SPENT


@pytest.mark.usefixtures("shortest")
@pytest.mark.parametrize(
    ("outcome", "wait"),
    [
        (Retryable(NO_CREDITS, "detail"), 50),
        (Retryable(NO_CREDITS, "detail", retry_after=7), 7),
        (Retryable(BUDGET, "detail", retry_after=7), 50),
        (Retryable(Reason.SENDER_BUDGET_SPENT, "detail", retry_after=7_000), 7_000),
        (Retryable(Reason.PACED, "detail", retry_after=7), 7),
        (Retryable(Reason.PACED, "detail", retry_after=7_000), 100),
        (Retryable(Reason.RATE_LIMITED, "detail", retry_after=7_000), 7_000),
        (Retryable(Reason.RATE_LIMITED, "detail"), 0),
    ],
    ids=lambda value: f"{value.reason} {value.retry_after}" if isinstance(value, Retryable) else "",
)
def test_the_wait_follows_from_the_reason(outcome: Retryable, wait: float) -> None:
    assert BACKOFF.retry(3, outcome) == RetryIn(wait, outcome.reason, "detail")
