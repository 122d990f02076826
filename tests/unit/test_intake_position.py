"""When the intake goes off and on: what was done last, what is heard, and what the balance shows."""

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
UNTOLD = [NoAnswer(reason) for reason in (Reason.TOKEN_REFUSED, Reason.TOKEN_UNAVAILABLE, Reason.BALANCE_UNKNOWN)]
SHORT = [EMPTY, *UNTOLD]
FAULT = Fault(Reason.NO_CREDITS, NOW)
ON = IntakeChange(IntakeState.ON, AUTOMATIC, LONG_AGO)
OFF = IntakeChange(IntakeState.OFF, AUTOMATIC, LONG_AGO, Reason.NO_CREDITS)
OFF_BY_HAND = IntakeChange(IntakeState.OFF, "ada", LONG_AGO)
ON_BY_HAND = IntakeChange(IntakeState.ON, "ada", LONG_AGO)


@pytest.mark.parametrize("told", [PAID, *SHORT], ids=str)
@pytest.mark.parametrize("last", [None, ON, ON_BY_HAND], ids=["never switched", "on", "on by hand"])
def test_a_fault_switches_off_whatever_the_balance_shows(last: IntakeChange | None, told: Balance | NoAnswer) -> None:
    after = after_fault(last, FAULT, told, NOW + 1)
    assert after == IntakeChange(IntakeState.OFF, AUTOMATIC, NOW + 1, Reason.NO_CREDITS, unexplained=int(told == PAID))


@pytest.mark.parametrize("last", [OFF, OFF_BY_HAND], ids=["by itself", "by hand"])
def test_a_further_fault_leaves_what_is_off_as_it_is(last: IntakeChange) -> None:
    assert after_fault(last, FAULT, EMPTY, NOW) is last


@pytest.mark.parametrize("last", [ON, ON_BY_HAND], ids=["by itself", "by hand"])
def test_a_fault_from_before_the_intake_was_switched_on_is_old_news(last: IntakeChange) -> None:
    later = replace(last, at=NOW + 0.1)
    assert after_fault(later, FAULT, EMPTY, NOW + 1) is later


def test_the_intake_goes_on_when_the_account_can_pay() -> None:
    assert after_check(OFF, PAID, NOW) == IntakeChange(IntakeState.ON, AUTOMATIC, NOW)


@pytest.mark.parametrize("told", SHORT, ids=str)
def test_the_intake_stays_off_while_the_account_cannot_pay_or_does_not_tell(told: Balance | NoAnswer) -> None:
    assert after_check(OFF, told, NOW) is OFF


@pytest.mark.parametrize("last", [None, ON, ON_BY_HAND, OFF_BY_HAND], ids=str)
def test_a_look_switches_on_only_what_the_account_switched_off(last: IntakeChange | None) -> None:
    assert after_check(last, PAID, NOW) is last


def test_a_pause_that_the_balance_does_not_explain_holds_for_a_while_and_then_ends() -> None:
    off = after_fault(ON, FAULT, PAID, NOW)
    assert off is not None
    assert after_check(off, PAID, NOW + FIRST_HOLD_SECONDS - 1) is off
    on = after_check(off, PAID, NOW + FIRST_HOLD_SECONDS)
    assert on is not None
    assert on.state is IntakeState.ON


def holds_in_a_row(pauses: int) -> list[float]:
    """Seconds that each of so many pauses lasts at least, where every one is followed by the same fault at once."""
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


def test_unexplained_pauses_in_a_row_last_twice_as_long_each_up_to_a_day() -> None:
    assert holds_in_a_row(4) == [600, 1200, 2400, 4800]
    assert holds_in_a_row(40)[-1] == LONGEST_HOLD_SECONDS


def test_an_account_that_never_explains_itself_costs_no_message_its_last_receive_in_four_days() -> None:
    final_receive = 12  # MaxReceiveCount less the receives held back, by their defaults
    holds = holds_in_a_row(30)
    begun = [sum(holds[:number]) for number in range(len(holds))]
    assert sum(at < 4 * 86_400 for at in begun) < final_receive


@pytest.mark.parametrize(
    ("last", "told", "unexplained"),
    [
        pytest.param(replace(ON, at=NOW - SERIES_SECONDS, unexplained=3), PAID, 4, id="within the hour"),
        pytest.param(replace(ON, at=NOW - SERIES_SECONDS - 1, unexplained=3), PAID, 1, id="later"),
        pytest.param(replace(ON, at=NOW - 1, unexplained=3), EMPTY, 0, id="explained by the balance"),
        pytest.param(replace(ON_BY_HAND, at=NOW - 1), PAID, 1, id="an operator began anew"),
    ],
)
def test_a_row_goes_on_where_the_next_fault_is_soon_and_unexplained_too(
    last: IntakeChange, told: Balance, unexplained: int
) -> None:
    after = after_fault(last, FAULT, told, NOW)
    assert after is not None
    assert after.unexplained == unexplained
