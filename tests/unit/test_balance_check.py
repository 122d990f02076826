"""Whose fault an unclear 403 is: by the balance, read at most once a minute and within the time that is left."""

import threading
import time
from dataclasses import dataclass, field
from typing import Self

import pytest

from song_intake.domain.outcome import Refused, Retryable
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.balance_check import BalanceCheck
from song_intake.music_api.client import MusicApi
from song_intake.music_api.credits import Balance

REFUSED = Refused(Reason.REFUSED, "refused", 403, "forbidden", balance_decides=True)
NOT_KNOWN = "refused; the balance of the account was not known"
UNREADABLE = NoAnswer(Reason.BALANCE_UNKNOWN, 502)


@dataclass
class Account(MusicApi):
    """The music API as far as the balance goes."""

    balances: list[Balance | NoAnswer]
    limits: list[float] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)

    def within(self, seconds: float) -> Self:
        self.limits.append(seconds)
        return self

    def credits(self, token: str) -> Balance | NoAnswer:
        assert token == "token"
        if self.answering.is_set():
            time.sleep(0.05)
        return self.balances.pop(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_700_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


@pytest.mark.parametrize("balance", [Balance(10, 0), Balance(0, 10), Balance(500, 0)])
def test_an_account_that_can_pay_is_not_the_cause(balance: Balance) -> None:
    assert BalanceCheck(Account([balance])).decide(REFUSED, "token", 5) == REFUSED


@pytest.mark.parametrize("balance", [Balance(0, 0), Balance(9, 0), Balance(5, 4)])
def test_an_account_that_cannot_pay_for_a_song_is_the_cause(balance: Balance) -> None:
    outcome = BalanceCheck(Account([balance])).decide(REFUSED, "token", 5)
    assert isinstance(outcome, Retryable)
    assert (outcome.reason, outcome.http_status, outcome.vendor_code) == (Reason.NO_CREDITS, 403, "forbidden")


@pytest.mark.parametrize("reason", [Reason.BALANCE_UNKNOWN, Reason.TOKEN_REFUSED, Reason.CANNOT_CONNECT])
def test_an_unreadable_balance_is_not_an_empty_one(reason: Reason) -> None:
    outcome = BalanceCheck(Account([NoAnswer(reason)])).decide(REFUSED, "token", 5)
    assert isinstance(outcome, Refused)
    assert outcome.detail == NOT_KNOWN


def test_a_balance_is_kept_for_a_minute_of_the_wall_clock(clock: list[float]) -> None:
    account = Account([Balance(500, 0), Balance(0, 0)])
    check = BalanceCheck(account)
    assert check.decide(REFUSED, "token", 5) == REFUSED
    clock[0] += 59
    assert check.decide(REFUSED, "token", 5) == REFUSED
    clock[0] += 2
    assert isinstance(check.decide(REFUSED, "token", 5), Retryable)


def test_a_clock_that_was_set_back_has_the_balance_read_again(clock: list[float]) -> None:
    check = BalanceCheck(Account([Balance(500, 0), Balance(0, 0)]))
    check.decide(REFUSED, "token", 5)
    clock[0] -= 3600
    assert isinstance(check.decide(REFUSED, "token", 5), Retryable)


def test_a_failure_is_kept_for_a_second_only(clock: list[float]) -> None:
    check = BalanceCheck(Account([UNREADABLE, Balance(0, 0)]))
    for _ in range(2):
        assert isinstance(check.decide(REFUSED, "token", 5), Refused)
    clock[0] += 1
    assert isinstance(check.decide(REFUSED, "token", 5), Retryable)


@pytest.mark.parametrize("seconds", [-10, 0, 0.4])
def test_without_time_nothing_is_asked(seconds: float) -> None:
    account = Account([])
    outcome = BalanceCheck(account).decide(REFUSED, "token", seconds)
    assert isinstance(outcome, Refused)
    assert outcome.detail == NOT_KNOWN
    assert account.limits == []


def test_the_balance_is_asked_within_the_time_that_is_left() -> None:
    account = Account([Balance(500, 0)])
    BalanceCheck(account).decide(REFUSED, "token", 5)
    (limit,) = account.limits
    assert 4.5 < limit <= 5


def test_many_threads_ask_once() -> None:
    account = Account([Balance(0, 0)])
    account.answering.set()
    check = BalanceCheck(account)
    outcomes: list[Refused | Retryable] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(check.decide(REFUSED, "token", 5)), daemon=True)
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {type(outcome) for outcome in outcomes} == {Retryable}
    assert (len(outcomes), len(account.limits)) == (20, 1)


def test_a_thread_does_not_wait_for_another_beyond_its_time() -> None:
    check = BalanceCheck(Account([]))
    began = time.monotonic()
    with check._lock:
        outcome = check.decide(REFUSED, "token", 0.1)
    assert time.monotonic() - began < 2
    assert isinstance(outcome, Refused)
    assert outcome.detail == NOT_KNOWN
