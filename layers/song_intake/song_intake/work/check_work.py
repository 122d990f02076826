"""The work on one check: a poll of its song, and the steps that follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from song_intake.aws.signing_key import KeyUnavailable
from song_intake.domain.decision import DeadLetter, RetryIn, SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.outgoing.checks import SongCheck
from song_intake.outgoing.telemetry import RecordReport, frames_of
from song_intake.work.secret_fault import fault_of_secret
from song_intake.work.tracking import MOST_POLLS, NO_TIME_FOR_A_POLL

if TYPE_CHECKING:
    from song_intake.contract.proof import Proofs
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import Decision
    from song_intake.outgoing.dead_letters import DeadLetters
    from song_intake.work.batch import TimeLeft
    from song_intake.work.tracking import Tracking

# Some receives after the last poll, for its steps to succeed, and some before SQS moves the check.
LAST_RECEIVES = MOST_POLLS + 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CheckWork:
    """Safe to share between threads.

    A check whose steps failed comes back after the queue's own visibility timeout. On its last receives it becomes a
    dead letter with the reason, before SQS moves it without one.
    """

    tracking: Tracking
    dead_letters: DeadLetters
    proofs: Proofs
    poll_call: float
    """Seconds that must be left to begin a poll: its deadline and the writes after it."""

    def begin(self, time_left: TimeLeft) -> None:
        """See Work.begin. Checks need no setup per invocation."""

    def decide(self, message: Message, time_left: TimeLeft) -> RecordReport:
        """See Work.decide."""
        check: SongCheck | None = None
        frames: tuple[str, ...] = ()
        decision: Decision
        try:
            message = self.proofs.read(message)
            check = SongCheck.parse(message.body, message.sent_at)
            if time_left() < self.poll_call:
                decision = RetryIn(0, *NO_TIME_FOR_A_POLL)
            else:
                # The writes about a hint, before the poll, take time too.
                decision = self.tracking.decide(check, message, lambda: time_left() >= self.poll_call)
        except SideEffectFailed as failure:
            decision = _failed(failure)
        except KeyUnavailable as failure:
            fault = fault_of_secret(failure)
            decision = RetryIn(None, fault.reason, fault.detail)
        except Exception as failure:  # noqa: BLE001 - an unexpected error of one record must not fail the others
            decision = RetryIn(
                None, Reason.UNFORESEEN, f"the function failed on this message ({type(failure).__name__})"
            )
            frames = frames_of(failure)
        if isinstance(decision, RetryIn) and message.receive_count >= LAST_RECEIVES:
            decision = _exhausted(decision, message, check)
        return RecordReport(message, decision, check.request_id if check else None, frames=frames)

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


def _exhausted(retry: RetryIn, message: Message, check: SongCheck | None) -> DeadLetter:
    detail = f"given up after {message.receive_count} receives: {retry.detail}"
    return DeadLetter(Reason.RETRIES_EXHAUSTED, detail, task_id=check.task_id if check else None)


def _failed(failure: SideEffectFailed) -> RetryIn:
    return RetryIn(None, failure.reason, f"a follow-up step failed ({failure}); all steps will be repeated")
