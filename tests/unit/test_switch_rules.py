"""When the intake is paused and resumed, by the last change, the reported faults and the balance."""

from dataclasses import replace

import pytest

from song_intake.admission.switch_rules import (
    AUTOMATIC,
    FIRST_HOLD_SECONDS,
    LONGEST_HOLD_SECONDS,
    SERIES_SECONDS,
    Fault,
    IntakeChange,
    IntakeState,
    after_check,
    after_fault,
)
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.credits import Balance

NOW = 1_700_000_000.0
LONG_AGO = NOW - 30 * 86_400
PAID = Balance(10, 0)
EMPTY = Balance(9, 0)
UNKNOWN_BALANCES = [
    NoAnswer(reason) for reason in (Reason.TOKEN_REFUSED, Reason.TOKEN_UNAVAILABLE, Reason.BALANCE_UNKNOWN)
]
CANNOT_PAY = [EMPTY, *UNKNOWN_BALANCES]
FAULT = Fault(Reason.NO_CREDITS, NOW)
ON = IntakeChange(IntakeState.ON, AUTOMATIC, LONG_AGO)
OFF = IntakeChange(IntakeState.OFF, AUTOMATIC, LONG_AGO, Reason.NO_CREDITS)
OFF_MANUALLY = IntakeChange(IntakeState.OFF, "ada", LONG_AGO)
ON_MANUALLY = IntakeChange(IntakeState.ON, "ada", LONG_AGO)


@pytest.mark.parametrize("balance", [PAID, *CANNOT_PAY], ids=str)
@pytest.mark.parametrize("last", [None, ON, ON_MANUALLY], ids=["never switched", "on", "on, manual"])
def test_a_fault_pauses_the_intake_whatever_the_balance_is(
    last: IntakeChange | None, balance: Balance | NoAnswer
) -> None:
    after = after_fault(last, FAULT, balance, NOW + 1)
    assert after == IntakeChange(
        IntakeState.OFF, AUTOMATIC, NOW + 1, Reason.NO_CREDITS, unexplained=int(balance == PAID)
    )


@pytest.mark.parametrize("last", [OFF, OFF_MANUALLY], ids=["automatic", "manual"])
def test_a_further_fault_does_not_change_a_pause(last: IntakeChange) -> None:
    assert after_fault(last, FAULT, EMPTY, NOW) is last


@pytest.mark.parametrize("last", [ON, ON_MANUALLY], ids=["automatic", "manual"])
def test_a_fault_older_than_the_last_resume_is_ignored(last: IntakeChange) -> None:
    later = replace(last, at=NOW + 0.1)
    assert after_fault(later, FAULT, EMPTY, NOW + 1) is later


def test_the_intake_resumes_when_the_account_can_pay() -> None:
    assert after_check(OFF, PAID, NOW) == IntakeChange(IntakeState.ON, AUTOMATIC, NOW)


@pytest.mark.parametrize("balance", CANNOT_PAY, ids=str)
def test_the_intake_stays_paused_while_the_account_cannot_pay_or_the_balance_is_unknown(
    balance: Balance | NoAnswer,
) -> None:
    assert after_check(OFF, balance, NOW) is OFF


@pytest.mark.parametrize("last", [None, ON, ON_MANUALLY, OFF_MANUALLY], ids=str)
def test_a_balance_check_resumes_only_an_automatic_pause(last: IntakeChange | None) -> None:
    assert after_check(last, PAID, NOW) is last


def test_a_pause_that_the_balance_does_not_explain_holds_for_a_while_and_then_ends() -> None:
    off = after_fault(ON, FAULT, PAID, NOW)
    assert off is not None
    assert after_check(off, PAID, NOW + FIRST_HOLD_SECONDS - 1) is off
    on = after_check(off, PAID, NOW + FIRST_HOLD_SECONDS)
    assert on is not None
    assert on.state is IntakeState.ON


def holds_in_a_row(pauses: int) -> list[float]:
    """The least seconds that each of these pauses lasts, if the same fault follows each of them at once."""
    holds, now = [], NOW
    last: IntakeChange | None = None
    for _ in range(pauses):
        last = after_fault(last, Fault(Reason.NO_CREDITS, now), PAID, now)
        assert last is not None
        holds.append(last.held_until - now)
        now = last.held_until
        last = after_check(last, PAID, now)
        assert last is not None
        assert last.state is IntakeState.ON
    return holds


def test_each_unexplained_pause_in_a_row_lasts_twice_as_long_up_to_a_day() -> None:
    assert holds_in_a_row(4) == [600, 1200, 2400, 4800]
    assert holds_in_a_row(40)[-1] == LONGEST_HOLD_SECONDS


def test_four_days_of_unexplained_pauses_do_not_use_up_the_receives_of_a_message() -> None:
    final_receive = 12  # MaxReceiveCount minus the reserved receives, at the defaults
    holds = holds_in_a_row(30)
    begun = [sum(holds[:number]) for number in range(len(holds))]
    assert sum(at < 4 * 86_400 for at in begun) < final_receive


@pytest.mark.parametrize(
    ("last", "balance", "unexplained"),
    [
        pytest.param(replace(ON, at=NOW - SERIES_SECONDS, unexplained=3), PAID, 4, id="within the hour"),
        pytest.param(replace(ON, at=NOW - SERIES_SECONDS - 1, unexplained=3), PAID, 1, id="later"),
        pytest.param(replace(ON, at=NOW - 1, unexplained=3), EMPTY, 0, id="explained by the balance"),
        pytest.param(replace(ON_MANUALLY, at=NOW - 1), PAID, 1, id="after a manual resume"),
    ],
)
def test_the_count_grows_only_if_the_next_fault_is_soon_and_unexplained(
    last: IntakeChange, balance: Balance, unexplained: int
) -> None:
    after = after_fault(last, FAULT, balance, NOW)
    assert after is not None
    assert after.unexplained == unexplained
