"""When the intake is switched off and on: the decisions alone, as values.

A fault that is told after the intake was switched on again may be old, of a call that was under way meanwhile, or the
account may lack what get-credits does not show, such as a subscription. So a fault is believed, and then the balance
says how the pause ends:

- it shows the fault (no credits, no token): the pause ends as soon as it shows none;
- it shows none (the pause is *unexplained*): the pause ends after FIRST_HOLD_SECONDS, and each further one in a row
  lasts twice as long. One old fault costs minutes; a lasting one that nobody mends is tried so rarely that no message
  spends its receives on it within the 4 days that SQS keeps it.
"""

from dataclasses import dataclass
from enum import StrEnum

from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.credits import Balance

FIRST_HOLD_SECONDS = 600.0
LONGEST_HOLD_SECONDS = 86_400.0

# A fault later than this after the intake was switched on begins a new row.
ROW_SECONDS = 3_600.0

AUTOMATIC = "the account"
"""Who switched, where no operator did."""


class IntakeState(StrEnum):
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class IntakeChange:
    """How the intake was switched last. `at` is in seconds since 1970."""

    position: IntakeState
    by: str
    at: float
    reason: Reason | None = None
    unexplained: int = 0
    """How many pauses in a row, up to this one, the balance did not explain."""

    @property
    def held_until(self) -> float:
        """Seconds since 1970 until which a pause is not ended by itself."""
        if not self.unexplained:
            return self.at
        # 30 doublings are past any hold, and a float cannot hold 2**2000.
        return self.at + min(FIRST_HOLD_SECONDS * 2.0 ** min(self.unexplained - 1, 30), LONGEST_HOLD_SECONDS)


@dataclass(frozen=True, slots=True)
class Fault:
    """As submit_song found it. `at` is EventBridge's, in whole seconds since 1970."""

    reason: Reason
    at: float


def after_fault(last: IntakeChange | None, fault: Fault, told: Balance | NoAnswer, now: float) -> IntakeChange | None:
    """Off, unless it is off already, or the fault is older than what was switched after it."""
    if last is not None and (last.position is IntakeState.OFF or fault.at < last.at):
        return last
    unexplained = _row(last, fault) + 1 if _allows_a_song(told) else 0
    return IntakeChange(IntakeState.OFF, AUTOMATIC, now, fault.reason, unexplained)


def after_look(last: IntakeChange | None, told: Balance | NoAnswer, now: float) -> IntakeChange | None:
    """On, if the account switched it off and can pay again. What an operator switched off, or somebody elsewhere, whom
    this does not remember, stays off.
    """
    if last is None or last.position is IntakeState.ON or last.by != AUTOMATIC:
        return last
    if not _allows_a_song(told) or now < last.held_until:
        return last
    return IntakeChange(IntakeState.ON, AUTOMATIC, now, unexplained=last.unexplained)


def _row(last: IntakeChange | None, fault: Fault) -> int:
    return last.unexplained if last is not None and fault.at - last.at <= ROW_SECONDS else 0


def _allows_a_song(told: Balance | NoAnswer) -> bool:
    return isinstance(told, Balance) and told.allows_a_song
