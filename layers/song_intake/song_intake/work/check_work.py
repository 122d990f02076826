"""The work on one check: a poll of its song, and the steps that follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from song_intake.domain.decision import DeadLetter, RetryIn, SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.outgoing.checks import SongCheck
from song_intake.outgoing.telemetry import RecordReport, frames_of

if TYPE_CHECKING:
    from song_intake.contract.sqs_message import Message
    from song_intake.outgoing.dead_letters import DeadLetters
    from song_intake.work.batch import TimeLeft
    from song_intake.work.tracking import Tracking


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CheckWork:
    """Safe to share between threads. A check whose steps failed comes back after the queue's own visibility timeout."""

    tracking: Tracking
    dead_letters: DeadLetters
    poll_call: float
    """Seconds that must be left to begin a poll: its deadline and the writes after it."""

    def begin(self, time_left: TimeLeft) -> None:
        """See Work.begin. Checks need no setup per invocation."""

    def decide(self, message: Message, time_left: TimeLeft) -> RecordReport:
        """See Work.decide."""
        request_id: str | None = None
        try:
            check = SongCheck.parse(message.body)
            request_id = check.request_id
            if time_left() < self.poll_call:
                return RecordReport(
                    message, RetryIn(0, Reason.NO_TIME_LEFT, "too little of the invocation was left"), request_id
                )
            return RecordReport(message, self.tracking.decide(check, message), request_id)
        except SideEffectFailed as failure:
            return RecordReport(message, _failed(failure), request_id)
        except Exception as failure:  # noqa: BLE001 - an unexpected error of one record must not fail the others
            unexpected = RetryIn(
                None, Reason.UNFORESEEN, f"the function failed on this message ({type(failure).__name__})"
            )
            return RecordReport(message, unexpected, request_id, frames=frames_of(failure))

    def perform(self, report: RecordReport) -> RecordReport:
        """See Work.perform."""
        decision = report.decision
        if not isinstance(decision, DeadLetter):
            return report
        try:
            self.dead_letters.send(report.message, decision, report.request_id)
        except SideEffectFailed as failure:
            return replace(report, decision=_failed(failure), failed_decision=decision)
        return report


def _failed(failure: SideEffectFailed) -> RetryIn:
    return RetryIn(None, failure.reason, f"a follow-up step failed ({failure}); all steps will be repeated")
