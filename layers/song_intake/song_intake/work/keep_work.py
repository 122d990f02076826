"""The work on one message about a song's recordings: one attempt at them, and the steps that follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from song_intake.aws.signing_key import KeyUnavailable
from song_intake.domain.decision import DeadLetter, RetryIn, SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.outgoing.recording_orders import RecordingOrder
from song_intake.outgoing.telemetry import RecordReport, frames_of
from song_intake.work.keeping import MOST_RECEIVES
from song_intake.work.secret_fault import fault_of_secret

if TYPE_CHECKING:
    from song_intake.contract.proof import Proofs
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import Decision
    from song_intake.outgoing.dead_letters import DeadLetters
    from song_intake.work.batch import TimeLeft
    from song_intake.work.keeping import RecordingKeeper

# Some receives after the last attempt, for its steps to succeed, and some before SQS moves the message.
_LAST_RECEIVES = MOST_RECEIVES + 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class KeepWork:
    """Safe to share between threads."""

    keeper: RecordingKeeper
    dead_letters: DeadLetters
    proofs: Proofs

    def begin(self, time_left: TimeLeft) -> None:
        """See Work.begin. Recordings need no setup per invocation."""

    def decide(self, message: Message, time_left: TimeLeft) -> RecordReport:
        """See Work.decide."""
        order: RecordingOrder | None = None
        frames: tuple[str, ...] = ()
        decision: Decision
        try:
            message = self.proofs.read(message)
            order = RecordingOrder.parse(message.body)
            decision = self.keeper.decide(order, message, time_left)
        except SideEffectFailed as failure:
            decision = _repeated(failure)
        except KeyUnavailable as failure:
            fault = fault_of_secret(failure)
            decision = RetryIn(None, fault.reason, fault.detail)
        except Exception as failure:  # noqa: BLE001 - it must not end the function, which reports the message
            decision = RetryIn(
                None, Reason.UNFORESEEN, f"the function failed on this message ({type(failure).__name__})"
            )
            frames = frames_of(failure)
        if isinstance(decision, RetryIn) and message.receive_count >= _LAST_RECEIVES:
            detail = f"given up after {message.receive_count} receives: {decision.detail}"
            decision = DeadLetter(Reason.RETRIES_EXHAUSTED, detail, task_id=order.task_id if order else None)
        return RecordReport(message, decision, order.request_id if order else None, frames=frames)

    def perform(self, report: RecordReport) -> RecordReport:
        """See Work.perform."""
        decision = report.decision
        if not isinstance(decision, DeadLetter):
            return report
        try:
            self.dead_letters.send(report.message, decision, report.request_id)
        except SideEffectFailed as failure:
            return replace(report, decision=_repeated(failure), failed_decision=decision)
        return report


def _repeated(failure: SideEffectFailed) -> RetryIn:
    return RetryIn(None, failure.reason, f"a follow-up step failed ({failure}); all steps will be repeated")
