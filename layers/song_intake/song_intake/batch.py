"""The records of a batch, side by side, each isolated from the others.

A batch may not take longer than its slowest call, so every record has a thread. One that raises, or hangs past the
invocation's end (a name server can), fails alone: it is reported in batchItemFailures and comes back, while the others
are acknowledged.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict

from song_intake.aws_failure import AWS_FAILURES
from song_intake.dead_letters import DeadLetterQueueUnavailable, DeadLetters
from song_intake.decision import DeadLetter, RetryIn
from song_intake.message import Message, SqsRecord
from song_intake.reason import Reason
from song_intake.song_request import InvalidRequest, SongRequest
from song_intake.telemetry import Report, frames_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from song_intake.submission import Submission, TimeLeft
    from song_intake.telemetry import Telemetry

# Kept of the invocation to answer Lambda when a record hangs.
ANSWER_MARGIN_SECONDS = 1.0

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
MOST_ENTRIES = 10


class BatchItemFailure(TypedDict):
    itemIdentifier: str


class BatchResponse(TypedDict):
    batchItemFailures: list[BatchItemFailure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Takes the records of one invocation to their decisions and carries these out."""

    submission: Submission
    dead_letters: DeadLetters
    sqs: SQSClient
    queue_url: str
    telemetry: Telemetry

    def take(self, records: Sequence[SqsRecord], time_left: TimeLeft) -> BatchResponse:
        """Every record not named in the response is acknowledged by Lambda, so only what is done is left out of it."""
        messages = [Message.of(record) for record in records]
        executor = ThreadPoolExecutor(max_workers=max(len(messages), 1))
        running = {executor.submit(self._one, message, time_left): message for message in messages}
        wait(running, timeout=max(time_left() - ANSWER_MARGIN_SECONDS, 0))
        # Not waited for: a thread that hangs must not hold the answer about the others.
        executor.shutdown(wait=False, cancel_futures=True)
        reports = [self._report_of(future, message) for future, message in running.items()]
        self._hide(reports)
        self.telemetry.count(reports)
        return {
            "batchItemFailures": [
                {"itemIdentifier": report.message.message_id}
                for report in reports
                if isinstance(report.decision, RetryIn)
            ]
        }

    def _one(self, message: Message, time_left: TimeLeft) -> Report:
        """One record from its body to its decision, carried out as far as it concerns this record alone."""
        began = time.monotonic()
        report = replace(self._decided(message, time_left), seconds=time.monotonic() - began)
        # Told before it is carried out: where a letter names a task, this line may be all that is left of a song.
        self.telemetry.log(report)
        if not isinstance(report.decision, DeadLetter):
            return report
        sent = self._sent(report, report.decision)
        if sent is not report:
            self.telemetry.log(sent)
        return sent

    def _sent(self, report: Report, letter: DeadLetter) -> Report:
        try:
            self.dead_letters.send(report.message, letter, report.request_id)
        except DeadLetterQueueUnavailable as failure:
            return replace(report, decision=self.submission.unsent(report.message, failure), letter=letter)
        return report

    def _decided(self, message: Message, time_left: TimeLeft) -> Report:
        request_id: str | None = None
        try:
            request = SongRequest.parse(message.body, message.first_message_id, message.known_request_id)
            request_id = request.request_id
            decision = self.submission.decide(request, message, time_left)
        except InvalidRequest as invalid:
            return Report(message, DeadLetter(Reason.INVALID_REQUEST, str(invalid)), invalid.request_id)
        except Exception as failure:  # noqa: BLE001 - one record's surprise is not the other records' fault
            decision = self.submission.surprised(message, failure)
            return Report(message, decision, request_id, frames=frames_of(failure))
        return Report(message, decision, request_id)

    def _report_of(self, future: Future[Report], message: Message) -> Report:
        if not future.done():
            # Its thread may still be at work, so its visibility is left alone.
            hung = RetryIn(None, Reason.NO_TIME_LEFT, "the record was not finished when the invocation ended")
            report = Report(message, hung)
        elif (failure := future.exception()) is not None:
            broken = RetryIn(None, Reason.UNFORESEEN, f"the record could not be reported ({type(failure).__name__})")
            report = Report(message, broken, frames=frames_of(failure))
        else:
            return future.result()
        self.telemetry.log(report)
        return report

    def _hide(self, reports: Iterable[Report]) -> None:
        """Make each retried message invisible for as long as its decision says.

        Where SQS refuses, the message comes back after the queue's own visibility time-out: later or sooner, not never.
        """
        waits = [
            (report.message, report.decision.seconds)
            for report in reports
            if isinstance(report.decision, RetryIn) and report.decision.seconds is not None
        ]
        for start in range(0, len(waits), MOST_ENTRIES):
            try:
                self.sqs.change_message_visibility_batch(
                    QueueUrl=self.queue_url,
                    Entries=[
                        {"Id": str(i), "ReceiptHandle": message.receipt_handle, "VisibilityTimeout": math.ceil(seconds)}
                        for i, (message, seconds) in enumerate(waits[start : start + MOST_ENTRIES])
                    ],
                )
            except AWS_FAILURES as failure:
                self.telemetry.visibility_not_changed(failure)
