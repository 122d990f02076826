"""When the intake is paused and resumed: the decisions only, as values.

    state      event                                         becomes
    on         a shared fault                                off, by the stack, with the fault's reason
    on         a fault older than the last change            on: the fault concerns a call that was under way before
    off        a fault                                       off, as it was
    off        a check that sees the cause                   off
    off        a check that saw the cause, and sees it gone  on
    off        any other check                               on, once the hold has ended: a trial
    any        an operator's command                         what the operator says, until an operator says otherwise

A check sees what the balance endpoint shows: an empty account, a token that does not work, a host that does not answer,
or answers nothing usable. It also sees whether the secrets can be read, and whether the day's budget has room.
The hold of a pause starts at a minute and doubles with each further pause in a row of whose cause no check saw the end,
up to an hour. So a lasting fault (an expired subscription, a retired endpoint, a host that is away for days) is tried
ever more rarely.

The mapping follows the state (see `mapping_change`): a check compares the two and corrects the mapping in both
directions. Somebody who disables the mapping elsewhere, after it had followed the state, is not overruled.
"""

from dataclasses import replace
from enum import StrEnum

from song_intake.admission.circuit_breaker import FIRST_HOLD_SECONDS, LONGEST_HOLD_SECONDS
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import ACCOUNT_FAULTS, Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.credits import Balance

# A fault later than this after the intake was resumed begins a new row.
ROW_SECONDS = 7_200.0

AUTOMATIC = "automatic"
"""Who changed the state, if no operator did."""

# The balance endpoint shows these too: it is on the same host.
_FAULTS_OF_THE_HOST = frozenset((Reason.CANNOT_CONNECT, Reason.TURNED_AWAY, Reason.VENDOR_FAILING))

# While one lasts, no message can be signed, so none can be sent anew: each trial would use up receives.
FAULTS_OF_THE_SECRETS = frozenset((Reason.SECRETS_UNAVAILABLE, Reason.SIGNING_KEY_UNAVAILABLE))

_SHOWN_BY = {
    **dict.fromkeys(ACCOUNT_FAULTS, ACCOUNT_FAULTS | {Reason.TOKEN_NEVER_SET}),
    **dict.fromkeys(FAULTS_OF_THE_SECRETS, FAULTS_OF_THE_SECRETS),
    Reason.BUDGET_SPENT: {Reason.BUDGET_SPENT},
    **dict.fromkeys(_FAULTS_OF_THE_HOST, _FAULTS_OF_THE_HOST | {Reason.BALANCE_UNKNOWN}),
}
"""The reasons of a fault, and for each the reasons why the balance cannot be read that show the same cause."""


class IntakeState(StrEnum):
    ON = "on"
    OFF = "off"


@frozen
class IntakeChange:
    """The last change of the intake. `at` is in seconds since 1970."""

    state: IntakeState
    by: str
    at: float
    reason: Reason | None = None
    in_a_row: int = 0
    """How many pauses there were in a row, up to this change, of whose cause no check saw the end."""
    is_seen: bool = False
    """Whether a check saw the cause of this pause."""
    until: float | None = None
    """Seconds since 1970 until which the fault lasts, if the vendor said so."""
    is_reached: bool = False
    """Whether the mapping was seen in this position since the change."""

    @property
    def held_until(self) -> float:
        """Seconds since 1970: a pause whose cause cannot be seen ends then."""
        if self.until is not None:
            return self.until
        # 30 doublings are past any hold, and a float cannot hold 2**2000.
        return self.at + min(FIRST_HOLD_SECONDS * 2.0 ** min(max(self.in_a_row - 1, 0), 30), LONGEST_HOLD_SECONDS)


@frozen
class Fault:
    """As submit_song found it. `at` is EventBridge's time, in whole seconds since 1970; `until`: see IntakeChange."""

    reason: Reason
    at: float
    until: float | None = None


def after_fault(
    last: IntakeChange | None, fault: Fault, balance: Balance | NoAnswer, now: float
) -> IntakeChange | None:
    """Off, unless the intake is off already, or the fault is older than the last change."""
    if last is not None and (last.state is IntakeState.OFF or fault.at < last.at):
        return last
    in_a_row = last.in_a_row if last is not None and fault.at - last.at <= ROW_SECONDS else 0
    is_seen = _shows(fault.reason, balance)
    return IntakeChange(IntakeState.OFF, AUTOMATIC, now, fault.reason, in_a_row + 1, is_seen, fault.until)


def after_check(last: IntakeChange | None, balance: Balance | NoAnswer, now: float) -> IntakeChange | None:
    """On, if the stack paused the intake and the pause is over. A change of an operator stays."""
    if last is None or last.state is IntakeState.ON or last.by != AUTOMATIC:
        return last
    pause = last if last.is_seen or not _shows(last.reason, balance) else replace(last, is_seen=True)
    if not _is_over(pause, balance, now):
        return pause
    is_gone = pause.is_seen and not _shows(pause.reason, balance)
    return IntakeChange(IntakeState.ON, AUTOMATIC, now, in_a_row=0 if is_gone else pause.in_a_row)


def _is_over(pause: IntakeChange, balance: Balance | NoAnswer, now: float) -> bool:
    # A clock that was set back to before the pause ends it: a needless trial is cheap, a hold of years is not.
    hold_is_over = not pause.at <= now < pause.held_until
    if pause.reason is Reason.BUDGET_SPENT:
        # A create was given back, or an operator raised the limit.
        return hold_is_over or not _shows(pause.reason, balance)
    if pause.until is not None:
        return hold_is_over
    if _shows(pause.reason, balance):
        # A host may answer creates though its balance endpoint fails. For the others, a trial would change nothing.
        return hold_is_over and pause.reason in _FAULTS_OF_THE_HOST
    return hold_is_over or (pause.is_seen and isinstance(balance, Balance))


def _shows(reason: Reason | None, balance: Balance | NoAnswer) -> bool:
    """Whether the balance, or the reason why it cannot be read, shows the cause of a pause."""
    if isinstance(balance, Balance):
        return reason in ACCOUNT_FAULTS and not balance.allows_a_song
    return reason is not None and balance.reason in _SHOWN_BY.get(reason, ())


def mapping_change(last: IntakeChange | None, mapping_state: str) -> IntakeState | None:
    """What to switch the mapping to; None: nothing to do now.

    Nothing while Lambda still changes the mapping ("Enabling", "Disabling", "Updating"): the next check sees where it
    ends. Nothing if the mapping had reached "on" and was disabled elsewhere. But "off" is corrected always: a
    deployment must not end a pause.
    """
    if last is None:
        return None
    if last.state is IntakeState.OFF and mapping_state == "Enabled":
        return IntakeState.OFF
    if last.state is IntakeState.ON and mapping_state == "Disabled" and not last.is_reached:
        return IntakeState.ON
    return None


def seen_in(last: IntakeChange, mapping_state: str) -> IntakeChange:
    """The change, marked as reached if the mapping is in its position."""
    reached = {IntakeState.ON: "Enabled", IntakeState.OFF: "Disabled"}[last.state] == mapping_state
    return replace(last, is_reached=True) if reached else last


def is_paused(last: IntakeChange | None, mapping_state: str) -> bool:
    """Whether requests are not delivered, or soon will not be."""
    return mapping_state in ("Disabled", "Disabling") or (last is not None and last.state is IntakeState.OFF)


def is_disabled_elsewhere(last: IntakeChange | None, mapping_state: str) -> bool:
    """Whether the mapping is off though neither the stack nor an operator's command wants it off."""
    return mapping_state == "Disabled" and (last is None or (last.state is IntakeState.ON and last.is_reached))
