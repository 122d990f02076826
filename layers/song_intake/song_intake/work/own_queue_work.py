"""The work on a message of a queue that only this stack sends to: a check of a song, or an order of its recordings.

A message whose steps failed comes back after the queue's own visibility timeout. On its last receives it becomes a dead
letter with the reason, before SQS moves it without one.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from song_intake.aws.signing_key import KeyUnavailable
from song_intake.domain.decision import DeadLetter, RetryIn, SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.outgoing.telemetry import RecordReport, frames_of
from song_intake.work.secret_fault import fault_of_secret

if TYPE_CHECKING:
    from song_intake.contract.proof import Proofs
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import Decision
    from song_intake.domain.trace import Trace
    from song_intake.outgoing.dead_letters import DeadLetters
    from song_intake.work.batch import TimeLeft

MOST_RECEIVES = 990
"""The receive on which a message that waits is sent as a fresh one. SQS moves a message after a thousand receives."""

LAST_RECEIVES = MOST_RECEIVES + 5
"""Some receives later, for the steps to succeed, and some before SQS moves the message."""


class AboutASong(Protocol):
    """What every message of these queues names."""

    @property
    def request_id(self) -> str: ...

    @property
    def task_id(self) -> str: ...

    @property
    def trace(self) -> Trace | None: ...


_Subject = TypeVar("_Subject", bound=AboutASong)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class OwnQueueWork(Generic[_Subject]):
    """Safe to share between threads."""

    dead_letters: DeadLetters
    proofs: Proofs

    @abstractmethod
    def parse(self, message: Message) -> _Subject:
        """Raises KeyError, TypeError or ValueError for a body that this stack did not write."""

    @abstractmethod
    def decide_about(self, subject: _Subject, message: Message, time_left: TimeLeft) -> Decision:
        """Raises SideEffectFailed, and KeyUnavailable."""

    def begin(self, time_left: TimeLeft) -> None:
        """See Work.begin. These messages need no setup per invocation."""

    def decide(self, message: Message, time_left: TimeLeft) -> RecordReport:
        """See Work.decide."""
        subject: _Subject | None = None
        frames: tuple[str, ...] = ()
        decision: Decision
        try:
            message = self.proofs.read(message)
            subject = self.parse(message)
            decision = self.decide_about(subject, message, time_left)
        except SideEffectFailed as failure:
            decision = _failed(failure)
        except KeyUnavailable as failure:
            fault = fault_of_secret(failure)
            decision = RetryIn(None, fault.reason, fault.detail)
        except Exception as failure:  # noqa: BLE001 - an unexpected error of one record must not fail the others
            detail = f"the function failed on this message ({type(failure).__name__})"
            decision = RetryIn(None, Reason.UNFORESEEN, detail)
            frames = frames_of(failure)
        if isinstance(decision, RetryIn) and message.receive_count >= LAST_RECEIVES:
            detail = f"given up after {message.receive_count} receives: {decision.detail}"
            decision = DeadLetter(Reason.RETRIES_EXHAUSTED, detail, task_id=subject.task_id if subject else None)
        request_id, trace = (subject.request_id, subject.trace) if subject else (None, None)
        return RecordReport(message, decision, request_id, frames=frames, trace=trace)

    def perform(self, report: RecordReport) -> RecordReport:
        """See Work.perform."""
        decision = report.decision
        if not isinstance(decision, DeadLetter):
            return report
        try:
            self.dead_letters.send(report.message, decision, report.request_id, report.trace)
        except SideEffectFailed as failure:
            return replace(report, decision=_failed(failure), failed_decision=decision)
        return report


def _failed(failure: SideEffectFailed) -> RetryIn:
    return RetryIn(None, failure.reason, f"a follow-up step failed ({failure}); all steps will be repeated")
