"""Processes one song request: from its body to its decision, and the follow-up steps.

    row -> check, or dead letter -> event -> callback -> acknowledgement

The row is written first (Submission). If a later step fails, the others are made and remembered, and the message is
delivered again: the row leads to the same decision, and only the missing steps are made. After a crash, all of them may
be repeated.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from song_intake.aws.secrets import SecretUnavailable
from song_intake.contract.song_request import InvalidRequest, SongRequest
from song_intake.domain.decision import DeadLetter, Done, RetryIn, SendAnew, SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.ledger.follow_ups import Progress
from song_intake.ledger.table import LedgerUnavailable
from song_intake.outgoing.telemetry import RecordReport, frames_of
from song_intake.work.backoff import LONGEST_WAIT_SECONDS

if TYPE_CHECKING:
    from song_intake.contract.proof import Proofs
    from song_intake.contract.sqs_message import Message
    from song_intake.ledger.follow_ups import FollowUps
    from song_intake.outgoing.requests import RequestQueue
    from song_intake.work.batch import TimeLeft
    from song_intake.work.message_steps import MessageSteps
    from song_intake.work.submission import Submission


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RequestWork:
    """The Work of submit_song. Safe to share between threads."""

    submission: Submission
    steps: MessageSteps
    follow_ups: FollowUps
    requests: RequestQueue
    proofs: Proofs
    on_submitted: Callable[[float], None] = field(default=lambda _: None)
    """Called with the seconds from the sending of a request to its song's task on the row."""

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
            if isinstance(decision, Done) and not decision.duplicate and message.known_task_id is None:
                self.on_submitted(time.time() - message.first_sent_at)
            token, trace = request.task_token, message.trace
            return RecordReport(message, decision, request.request_id, request=request, task_token=token, trace=trace)
        except InvalidRequest as invalid:
            letter = DeadLetter(Reason.INVALID_REQUEST, str(invalid))
            return RecordReport(message, letter, invalid.request_id, task_token=invalid.task_token, trace=message.trace)
        except Exception as failure:  # noqa: BLE001 - an unexpected error of one record must not fail the others
            decision = self.submission.on_unexpected_error(message, failure, request)
            report = RecordReport(message, decision, frames=frames_of(failure), trace=message.trace)
            if request is None:
                return report
            return replace(report, request_id=request.request_id, request=request, task_token=request.task_token)

    def _read(self, message: Message) -> Message:
        """The message with its first ids, if it has any. Raises KeyUnavailable.

        Until then, the message only waits: it may have to be signed whatever becomes of it, and a letter or a message
        sent anew without its first ids would be a new request.
        """
        self.proofs.require_key()
        return self.proofs.read(message)

    def _until_it_can_be_signed(self, message: Message, failure: SecretUnavailable) -> RetryIn:
        """It cannot be sent anew, so in the second half of its receives it waits for as long as SQS hides a message."""
        later = self.submission.on_secret_failure(message, failure)
        if isinstance(self.submission.before_the_receives_run_out(message, later), RetryIn):
            return later
        return replace(later, seconds=LONGEST_WAIT_SECONDS)

    def perform(self, report: RecordReport) -> RecordReport:
        """See Work.perform."""
        try:
            self._perform(report)
        except SideEffectFailed as failure:
            return self._after_failure(report, failure)
        return report

    def _perform(self, report: RecordReport) -> None:
        if isinstance(report.decision, SendAnew):
            self._send_anew(report, report.decision)
        elif not isinstance(report.decision, RetryIn):
            self._follow_up(report)

    def _follow_up(self, report: RecordReport) -> None:
        """Make each step that is missing. A failure does not keep the others from being made."""
        message = report.message
        before = self.follow_ups.of(message.delivery_id) if message.is_repeated else Progress()
        made: set[str] = set()
        failures: dict[str, SideEffectFailed] = {}
        for name, step in self.steps.after(report, before.failed).items():
            if name not in before.done:
                try:
                    step()
                    made.add(name)
                except SideEffectFailed as failure:
                    failures[name] = failure
        if failures:
            self.follow_ups.remember(message.delivery_id, Progress(frozenset(made), frozenset(failures)))
            raise next(iter(failures.values()))

    def _send_anew(self, report: RecordReport, decision: SendAnew) -> None:
        """The row outlives the new message too, if there is a row. So does the task of a letter that was not sent."""
        letter = report.failed_decision
        task_id = letter.task_id if isinstance(letter, DeadLetter) else None
        self.requests.send_anew(report.message, decision, report.request_id, task_id)
        if report.request_id is not None and decision.reason is not Reason.LEDGER_UNAVAILABLE:
            with contextlib.suppress(LedgerUnavailable):
                self.submission.store.table.keep(report.request_id)

    def _after_failure(self, report: RecordReport, failure: SideEffectFailed) -> RecordReport:
        """The message stays, or a new one takes its place: either repeats all steps."""
        later = self.submission.on_side_effect_failure(report.message, failure)
        failed_decision = None if isinstance(report.decision, RetryIn | SendAnew) else report.decision
        done = replace(report, decision=later, failed_decision=failed_decision)
        if not isinstance(later, SendAnew):
            return done
        # If no message takes its place, it stays.
        stays = replace(done, decision=RetryIn(None, later.reason, later.detail))
        if isinstance(report.decision, SendAnew):
            return stays
        try:
            self._perform(done)
        except SideEffectFailed:
            return stays
        return done
