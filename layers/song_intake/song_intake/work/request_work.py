"""Processes one song request: from its body to its decision, and the follow-up steps.

    row -> check, or dead letter -> event -> callback -> acknowledgement

The row is written first (Submission). If a later step fails, or the function crashes, the message is delivered again:
the row leads to the same decision, and the steps are repeated.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from song_intake.aws.secrets import SecretUnavailable
from song_intake.contract.song_request import InvalidRequest, SongRequest
from song_intake.domain.decision import DeadLetter, Done, RetryIn, SendAnew, SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.outgoing.checks import SongCheck
from song_intake.outgoing.telemetry import RecordReport, frames_of

if TYPE_CHECKING:
    from song_intake.contract.proof import Proofs
    from song_intake.contract.sqs_message import Message
    from song_intake.outgoing.checks import SongChecks
    from song_intake.outgoing.dead_letters import DeadLetters
    from song_intake.outgoing.notifier import Notifier
    from song_intake.outgoing.requests import RequestQueue
    from song_intake.work.batch import TimeLeft
    from song_intake.work.submission import Submission


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RequestWork:
    """The Work of submit_song. Safe to share between threads."""

    submission: Submission
    checks: SongChecks
    notifier: Notifier
    dead_letters: DeadLetters
    requests: RequestQueue
    proofs: Proofs

    def begin(self, time_left: TimeLeft) -> None:
        """See Work.begin."""
        self.submission.pacer.begin(time_left)

    def decide(self, message: Message, time_left: TimeLeft) -> RecordReport:
        """See Work.decide."""
        try:
            message = self._read(message)
        except SecretUnavailable as failure:
            return RecordReport(message, self._until_it_can_be_signed(message, failure))
        request: SongRequest | None = None
        try:
            request = SongRequest.parse(message.body, message.first_message_id, message.known_request_id)
            decision = self.submission.decide(request, message, time_left)
            return RecordReport(message, decision, request.request_id, request=request)
        except InvalidRequest as invalid:
            return RecordReport(message, DeadLetter(Reason.INVALID_REQUEST, str(invalid)), invalid.request_id)
        except Exception as failure:  # noqa: BLE001 - an unexpected error of one record must not fail the others
            decision = self.submission.on_unexpected_error(message, failure)
            request_id = request.request_id if request else None
            return RecordReport(message, decision, request_id, frames=frames_of(failure), request=request)

    def _read(self, message: Message) -> Message:
        """The message with its first ids, if it has any. Raises KeyUnavailable.

        Until then, the message only waits: it may have to be signed whatever becomes of it, and a letter or a message
        sent anew without its first ids would be a new request.
        """
        self.proofs.require_key()
        return self.proofs.read(message)

    def _until_it_can_be_signed(self, message: Message, failure: SecretUnavailable) -> RetryIn:
        """It cannot be sent anew, so it waits longer instead: an early retry only uses up receives."""
        later = self.submission.on_secret_failure(message, failure)
        if isinstance(self.submission.before_the_receives_run_out(message, later), RetryIn):
            return later
        return replace(later, seconds=max(later.seconds or 0, self.submission.backoff.account_fault()))

    def perform(self, report: RecordReport) -> RecordReport:
        """See Work.perform."""
        try:
            self._perform(report)
        except SideEffectFailed as failure:
            return self._after_failure(report, failure)
        return report

    def _perform(self, report: RecordReport) -> None:
        match report.decision:
            case Done():
                self._schedule_check(report.decision, report.request)
            case SendAnew():
                self.requests.send_anew(report.message, report.decision, report.request_id)
            case DeadLetter():
                # The letter first: it may be the only record of a task.
                self.dead_letters.send(report.message, report.decision, report.request_id)
                self.notifier.publish_dead_letter(report.decision, report.message, report.request_id, report.request)

    def _after_failure(self, report: RecordReport, failure: SideEffectFailed) -> RecordReport:
        """The message stays, or a new one takes its place: either repeats all steps."""
        later = self.submission.on_side_effect_failure(report.message, failure)
        failed_decision = None if isinstance(report.decision, RetryIn | SendAnew) else report.decision
        done = replace(report, decision=later, failed_decision=failed_decision)
        if isinstance(later, SendAnew) and not isinstance(report.decision, SendAnew):
            try:
                self._perform(done)
            except SideEffectFailed:
                return replace(done, decision=RetryIn(None, later.reason, later.detail))
        return done

    def _schedule_check(self, decision: Done, request: SongRequest | None) -> None:
        """Enqueue the first check and publish the submission. A duplicate too: the first delivery may have crashed."""
        if request is None or decision.task_id is None or decision.ended:
            return
        self.checks.schedule(SongCheck(request.request_id, decision.task_id, time.time()))
        self.notifier.publish_submitted(decision.task_id, request)
