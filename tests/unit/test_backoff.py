"""How long a message waits. Only randomness is patched, to get the longest and the shortest wait."""

import random

import pytest

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
