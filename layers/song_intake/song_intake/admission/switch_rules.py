"""When the intake is switched off and on: only the decisions, as values.

A fault that arrives after the intake was switched on may come from a call that was in flight before. Or the account may
lack something that get-credits does not show, such as a subscription. So every fault pauses the intake, and the balance
decides how the pause ends:

- The balance shows the fault (no credits, no token): the pause ends as soon as the balance shows no fault.
- The balance shows no fault (the pause is *unexplained*): the pause ends after FIRST_HOLD_SECONDS, and each further
  unexplained pause in a row is twice as long. So an old fault costs minutes. A fault that is never fixed causes so few
  trials that no message uses up its receives on them within the 4 days that SQS keeps it.
"""

from dataclasses import dataclass
from enum import StrEnum

from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.credits import Balance

# Our choices: two checks of the balance, and one trial a day at the least.
FIRST_HOLD_SECONDS = 600.0
LONGEST_HOLD_SECONDS = 86_400.0

# Our choice: a fault later than this after the intake was switched on is not counted with the pauses before.
SERIES_SECONDS = 3_600.0

AUTOMATIC = "automatic"
"""`by` of a change that no operator made."""


class IntakeState(StrEnum):
    """Whether requests are delivered to submit_song."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class IntakeChange:
    """The last change of the intake. `by`: the operator, or AUTOMATIC. `at`: in seconds since 1970."""

    state: IntakeState
    by: str
    at: float
    reason: Reason | None = None
    """The account fault that caused a pause."""
    unexplained: int = 0
    """How many pauses in a row, this one included, the balance did not explain."""

    @property
    def held_until(self) -> float:
        """Seconds since 1970; an unexplained pause does not end automatically before."""
        if not self.unexplained:
            return self.at
        # 30 doublings are past any hold, and a float cannot hold 2**2000.
        return self.at + min(FIRST_HOLD_SECONDS * 2.0 ** min(self.unexplained - 1, 30), LONGEST_HOLD_SECONDS)


@dataclass(frozen=True, slots=True)
class Fault:
    """An account fault that submit_song published. `at`: EventBridge's time, in whole seconds since 1970."""

    reason: Reason
    at: float


def after_fault(
    last: IntakeChange | None, fault: Fault, balance: Balance | NoAnswer, now: float
) -> IntakeChange | None:
    """The change after a fault: off, unless the intake is off already, or was changed after the fault."""
    if last is not None and (last.state is IntakeState.OFF or fault.at < last.at):
        return last
    unexplained = _unexplained_before(last, fault) + 1 if _allows_a_song(balance) else 0
    return IntakeChange(IntakeState.OFF, AUTOMATIC, now, fault.reason, unexplained)


def after_check(last: IntakeChange | None, balance: Balance | NoAnswer, now: float) -> IntakeChange | None:
    """The change after a check: on, if an account fault switched the intake off, and the account can pay again.

    An operator's pause continues. So does a pause made outside this function, of which no change was saved.
    """
    if last is None or last.state is IntakeState.ON or last.by != AUTOMATIC:
        return last
    if not _allows_a_song(balance) or now < last.held_until:
        return last
    return IntakeChange(IntakeState.ON, AUTOMATIC, now, unexplained=last.unexplained)


def _unexplained_before(last: IntakeChange | None, fault: Fault) -> int:
    return last.unexplained if last is not None and fault.at - last.at <= SERIES_SECONDS else 0


def _allows_a_song(balance: Balance | NoAnswer) -> bool:
    return isinstance(balance, Balance) and balance.allows_a_song
