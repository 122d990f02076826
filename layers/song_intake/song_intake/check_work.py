"""What is done with one check: a look at the song, and all that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from song_intake.decision import DeadLetter, RetryIn
from song_intake.reason import Reason
from song_intake.song_checks import SongCheck
from song_intake.telemetry import Report, frames_of
from song_intake.undone import Undone

if TYPE_CHECKING:
    from song_intake.batch import TimeLeft
    from song_intake.dead_letters import DeadLetters
    from song_intake.message import Message
    from song_intake.tracking import Tracking


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWork:
    """Safe to share between threads. What could not be done leaves the check for the queue's own time-out."""

    tracking: Tracking
    dead_letters: DeadLetters
    poll_call: float
    """Seconds that must be left to begin a look: its deadline and its settling."""

    def begin(self, time_left: TimeLeft) -> None:
        """See Work.begin. A look at a song has nothing to begin with."""

    def take(self, message: Message, time_left: TimeLeft) -> Report:
        """See Work.take."""
        request_id: str | None = None
        try:
            check = SongCheck.parse(message.body)
            request_id = check.request_id
            if time_left() < self.poll_call:
                return Report(
                    message, RetryIn(0, Reason.NO_TIME_LEFT, "too little of the invocation was left"), request_id
                )
            return Report(message, self.tracking.decide(check, message), request_id)
        except Undone as failure:
            return Report(message, _undone(failure), request_id)
        except Exception as failure:  # noqa: BLE001 - one record's surprise is not the other records' fault
            surprise = RetryIn(
                None, Reason.UNFORESEEN, f"the function failed on this message ({type(failure).__name__})"
            )
            return Report(message, surprise, request_id, frames=frames_of(failure))

    def carry_out(self, report: Report) -> Report:
        """See Work.carry_out."""
        decision = report.decision
        if not isinstance(decision, DeadLetter):
            return report
        try:
            self.dead_letters.send(report.message, decision, report.request_id)
        except Undone as failure:
            return replace(report, decision=_undone(failure), undone=decision)
        return report


def _undone(failure: Undone) -> RetryIn:
    return RetryIn(None, failure.reason, f"the decision could not be carried out ({failure})")
