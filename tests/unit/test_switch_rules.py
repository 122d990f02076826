"""When the intake is paused and resumed: the last change, the event, and what the balance shows."""

from dataclasses import replace

import pytest

from song_intake.admission.circuit_breaker import FIRST_HOLD_SECONDS, LONGEST_HOLD_SECONDS
from song_intake.admission.switch_rules import (
    AUTOMATIC,
    FAULTS_OF_THE_SECRETS,
    ROW_SECONDS,
    Fault,
    IntakeChange,
    IntakeState,
    after_check,
    after_fault,
    is_disabled_elsewhere,
    is_paused,
    mapping_change,
    seen_in,
)
from song_intake.domain.reason import ACCOUNT_FAULTS, SHARED, Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.credits import Balance

NOW = 1_700_000_000.0
LONG_AGO = NOW - 30 * 86_400
PAYS = Balance(10, 0)
EMPTY = Balance(9, 0)
UNREADABLE = NoAnswer(Reason.BALANCE_UNKNOWN)
NO_TOKEN = NoAnswer(Reason.TOKEN_UNAVAILABLE)
REFUSED_TOKEN = NoAnswer(Reason.TOKEN_REFUSED)
NO_KEY = NoAnswer(Reason.SIGNING_KEY_UNAVAILABLE)
NO_HOST = NoAnswer(Reason.CANNOT_CONNECT)
BALANCES = [PAYS, EMPTY, UNREADABLE, NO_TOKEN, REFUSED_TOKEN, NO_HOST, NoAnswer(Reason.TURNED_AWAY, 404)]
FAULT = Fault(Reason.NO_CREDITS, NOW)
ON = IntakeChange(IntakeState.ON, AUTOMATIC, LONG_AGO)
OFF = IntakeChange(IntakeState.OFF, AUTOMATIC, LONG_AGO, Reason.NO_CREDITS)
OFF_BY_HAND = IntakeChange(IntakeState.OFF, "ada", LONG_AGO)
ON_BY_HAND = IntakeChange(IntakeState.ON, "ada", LONG_AGO)


@pytest.mark.parametrize("balance", BALANCES, ids=str)
@pytest.mark.parametrize("reason", sorted(SHARED))
@pytest.mark.parametrize("last", [None, ON, ON_BY_HAND], ids=["never changed", "on", "on by hand"])
def test_a_fault_pauses_the_intake_whatever_the_balance_shows(
    last: IntakeChange | None, reason: Reason, balance: Balance | NoAnswer
) -> None:
    after = after_fault(last, Fault(reason, NOW), balance, NOW + 1)
    assert after is not None
    assert (after.state, after.by, after.at, after.reason) == (IntakeState.OFF, AUTOMATIC, NOW + 1, reason)


@pytest.mark.parametrize("last", [OFF, OFF_BY_HAND], ids=["automatic", "by hand"])
def test_a_further_fault_leaves_a_pause_as_it_is(last: IntakeChange) -> None:
    assert after_fault(last, FAULT, EMPTY, NOW) is last


@pytest.mark.parametrize("last", [ON, ON_BY_HAND], ids=["automatic", "by hand"])
def test_a_fault_from_before_the_intake_was_resumed_changes_nothing(last: IntakeChange) -> None:
    later = replace(last, at=NOW + 0.1)
    assert after_fault(later, FAULT, EMPTY, NOW + 1) is later


@pytest.mark.parametrize("last", [None, ON, ON_BY_HAND, OFF_BY_HAND], ids=["never", "on", "on by hand", "off by hand"])
@pytest.mark.parametrize("balance", BALANCES, ids=str)
def test_a_check_changes_nothing_but_an_automatic_pause(last: IntakeChange | None, balance: Balance | NoAnswer) -> None:
    assert after_check(last, balance, NOW) is last


def paused(reason: Reason, balance: Balance | NoAnswer, in_a_row: int = 0, until: float | None = None) -> IntakeChange:
    """A pause that begins now, with this balance at its beginning."""
    last = replace(ON, at=NOW - 1, in_a_row=in_a_row)
    after = after_fault(last, Fault(reason, NOW, until), balance, NOW)
    assert after is not None
    return after


def is_resumed(change: IntakeChange | None) -> bool:
    return change is not None and change.state is IntakeState.ON


@pytest.mark.parametrize(
    ("reason", "shown", "gone"),
    [
        (Reason.NO_CREDITS, EMPTY, PAYS),
        (Reason.TOKEN_REFUSED, REFUSED_TOKEN, PAYS),
        (Reason.TOKEN_UNAVAILABLE, NO_TOKEN, PAYS),
        (Reason.TOKEN_UNAVAILABLE, NoAnswer(Reason.TOKEN_NEVER_SET), PAYS),
        (Reason.CANNOT_CONNECT, NO_HOST, PAYS),
        (Reason.CANNOT_CONNECT, NO_HOST, EMPTY),
        (Reason.TURNED_AWAY, NoAnswer(Reason.TURNED_AWAY, 404), PAYS),
        (Reason.VENDOR_FAILING, NoAnswer(Reason.BALANCE_UNKNOWN, 503), PAYS),
        (Reason.VENDOR_FAILING, NO_HOST, EMPTY),
        (Reason.SIGNING_KEY_UNAVAILABLE, NO_KEY, EMPTY),
        (Reason.SECRETS_UNAVAILABLE, NO_KEY, PAYS),
    ],
    ids=str,
)
def test_a_pause_whose_cause_was_seen_ends_when_the_cause_is_gone(
    reason: Reason, shown: Balance | NoAnswer, gone: Balance
) -> None:
    for pause in (paused(reason, shown, in_a_row=9), after_check(paused(reason, UNREADABLE, 9), shown, NOW + 1)):
        after = after_check(pause, gone, NOW + 2)
        assert after is not None
        assert (is_resumed(after), after.in_a_row) == (True, 0)


@pytest.mark.parametrize("reason", sorted(ACCOUNT_FAULTS))
@pytest.mark.parametrize("balance", [EMPTY, NO_TOKEN, REFUSED_TOKEN], ids=str)
def test_an_account_that_is_seen_at_fault_is_not_tried_however_long_it_lasts(
    reason: Reason, balance: Balance | NoAnswer
) -> None:
    pause = paused(reason, balance)
    assert not is_resumed(after_check(pause, balance, NOW + 9 * 86_400))


@pytest.mark.parametrize("reason", sorted(FAULTS_OF_THE_SECRETS))
def test_secrets_that_are_seen_to_be_unreadable_are_not_tried_however_long_it_lasts(reason: Reason) -> None:
    pause = paused(reason, NO_KEY)
    assert not is_resumed(after_check(pause, NO_KEY, NOW + 9 * 86_400))


@pytest.mark.parametrize("reason", sorted(SHARED - ACCOUNT_FAULTS))
@pytest.mark.parametrize("balance", BALANCES, ids=str)
def test_every_other_pause_ends_with_its_hold_whatever_the_balance_shows(
    reason: Reason, balance: Balance | NoAnswer
) -> None:
    assert is_resumed(after_check(paused(reason, balance), balance, NOW + FIRST_HOLD_SECONDS))


@pytest.mark.parametrize("balance", [PAYS, UNREADABLE, NO_HOST], ids=str)
@pytest.mark.parametrize("reason", sorted(ACCOUNT_FAULTS))
def test_an_account_fault_that_the_balance_does_not_show_ends_with_its_hold(
    reason: Reason, balance: Balance | NoAnswer
) -> None:
    pause = paused(reason, balance)
    assert not is_resumed(after_check(pause, balance, NOW + FIRST_HOLD_SECONDS - 1))
    assert is_resumed(after_check(pause, balance, NOW + FIRST_HOLD_SECONDS))


@pytest.mark.parametrize(
    ("in_a_row", "hold"),
    [(0, 60), (1, 120), (2, 240), (5, 1920), (6, LONGEST_HOLD_SECONDS), (5000, LONGEST_HOLD_SECONDS)],
)
def test_the_hold_doubles_with_each_pause_in_a_row_up_to_an_hour(in_a_row: int, hold: float) -> None:
    pause = paused(Reason.VENDOR_FAILING, PAYS, in_a_row)
    assert pause.held_until == NOW + hold
    after = after_check(pause, PAYS, NOW + hold)
    assert after is not None
    assert after.in_a_row == in_a_row + 1


@pytest.mark.parametrize(
    ("reason", "balance"), [(Reason.CANNOT_CONNECT, NO_HOST), (Reason.VENDOR_FAILING, UNREADABLE)], ids=str
)
def test_a_trial_while_the_cause_is_still_seen_does_not_end_the_row(reason: Reason, balance: NoAnswer) -> None:
    after = after_check(paused(reason, balance, in_a_row=5), balance, NOW + LONGEST_HOLD_SECONDS)
    assert after is not None
    assert (is_resumed(after), after.in_a_row) == (True, 6)


def test_a_fault_long_after_the_last_pause_begins_a_new_row() -> None:
    last = replace(ON, at=NOW - ROW_SECONDS - 1, in_a_row=7)
    after = after_fault(last, FAULT, PAYS, NOW)
    assert after is not None
    assert after.in_a_row == 1


@pytest.mark.parametrize("balance", BALANCES, ids=str)
def test_a_fault_with_a_known_end_lasts_until_then(balance: Balance | NoAnswer) -> None:
    pause = paused(Reason.RATE_LIMITED, balance, until=NOW + 86_400)
    assert not is_resumed(after_check(pause, balance, NOW + 86_399))
    assert is_resumed(after_check(pause, balance, NOW + 86_400))


def test_a_clock_that_was_set_back_ends_a_hold() -> None:
    assert is_resumed(after_check(paused(Reason.VENDOR_FAILING, PAYS), PAYS, NOW - 3600))


@pytest.mark.parametrize(
    ("last", "mapping", "change"),
    [
        (None, "Enabled", None),
        (None, "Disabled", None),
        (OFF, "Enabled", IntakeState.OFF),
        (OFF_BY_HAND, "Enabled", IntakeState.OFF),
        (replace(OFF, is_reached=True), "Enabled", IntakeState.OFF),
        (OFF, "Disabled", None),
        (OFF, "Enabling", None),
        (OFF, "Updating", None),
        (ON, "Disabled", IntakeState.ON),
        (ON_BY_HAND, "Disabled", IntakeState.ON),
        (replace(ON, is_reached=True), "Disabled", None),
        (ON, "Disabling", None),
        (ON, "Enabled", None),
        (ON, "Creating", None),
    ],
)
def test_the_mapping_follows_the_state(last: IntakeChange | None, mapping: str, change: IntakeState | None) -> None:
    assert mapping_change(last, mapping) is change


@pytest.mark.parametrize(
    ("last", "mapping", "is_reached"),
    [(ON, "Enabled", True), (ON, "Enabling", False), (OFF, "Disabled", True), (OFF, "Disabling", False)],
)
def test_a_state_counts_as_reached_once_the_mapping_is_there(
    last: IntakeChange, mapping: str, *, is_reached: bool
) -> None:
    assert seen_in(last, mapping).is_reached is is_reached


@pytest.mark.parametrize(
    ("last", "mapping", "paused", "elsewhere"),
    [
        (None, "Enabled", False, False),
        (None, "Disabled", True, True),
        (ON, "Disabled", True, False),
        (replace(ON, is_reached=True), "Disabled", True, True),
        (replace(ON, is_reached=True), "Enabled", False, False),
        (OFF, "Enabled", True, False),
        (OFF, "Disabled", True, False),
    ],
)
def test_an_intake_that_was_disabled_elsewhere_is_paused_and_recognised(
    last: IntakeChange | None, mapping: str, *, paused: bool, elsewhere: bool
) -> None:
    assert (is_paused(last, mapping), is_disabled_elsewhere(last, mapping)) == (paused, elsewhere)


SPENT = NoAnswer(Reason.BUDGET_SPENT)
MIDNIGHT = NOW + 7 * 3600
PAUSED_BY_THE_BUDGET = IntakeChange(IntakeState.OFF, AUTOMATIC, NOW, Reason.BUDGET_SPENT, 1, until=MIDNIGHT)


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_spent_budget_pauses_until_its_day_ends(is_seen: bool) -> None:  # noqa: FBT001
    pause = replace(PAUSED_BY_THE_BUDGET, is_seen=is_seen)
    after = after_check(pause, SPENT, MIDNIGHT - 1)
    assert after is not None
    assert after.state is IntakeState.OFF
    after = after_check(pause, PAYS, MIDNIGHT)
    assert after is not None
    assert after.state is IntakeState.ON


@pytest.mark.parametrize("balance", [PAYS, UNREADABLE, NO_HOST], ids=str)
@pytest.mark.parametrize("is_seen", [True, False])
def test_room_in_the_budget_ends_its_pause_before_the_day_does(
    balance: Balance | NoAnswer,
    is_seen: bool,  # noqa: FBT001
) -> None:
    after = after_check(replace(PAUSED_BY_THE_BUDGET, is_seen=is_seen), balance, NOW + 60)
    assert after is not None
    assert after.state is IntakeState.ON
