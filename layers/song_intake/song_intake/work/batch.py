"""Processes the records of a batch in parallel, each isolated from the others.

A batch should last no longer than its slowest call, so every record has its own thread. If a record raises, or hangs
until the end of the invocation, only this record fails: it is reported in batchItemFailures and is delivered again, and
the other records are acknowledged.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypedDict

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.contract.sqs_message import Message, SqsRecord
from song_intake.domain.decision import RetryIn
from song_intake.domain.reason import Reason
from song_intake.outgoing.telemetry import RecordReport, frames_of
from song_intake.work.backoff import LONGEST_WAIT_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from song_intake.outgoing.telemetry import Telemetry

TimeLeft = Callable[[], float]
"""Seconds until Lambda stops the function."""

# Our choice: time reserved to return a response if a record hangs.
ANSWER_MARGIN_SECONDS = 1.0

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
MOST_CHANGES_A_CALL = 10

# Effectively unlimited: an idle thread is reused before a new one is created, and a thread that hangs is not idle.
# Threads are kept between batches: creating them anew costs 10 % of the CPU of a batch of ten, and 25 % at a hundred.
MOST_THREADS = 10_000

# The time between the starts of two threads. Starting a hundred threads at once delays the first request until all of
# them are ready; staggering them saves a seventh of the time that a batch of 100 needs beside its creates.
THREAD_STAGGER_SECONDS = 0.0001


class BatchItemFailure(TypedDict):
    """A record that Lambda must not acknowledge, by its message id."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """The response of a function with ReportBatchItemFailures."""

    batchItemFailures: list[BatchItemFailure]


class Work(Protocol):
    """The work on one record."""

    def begin(self, time_left: TimeLeft) -> None:
        """Called once per invocation, before any of its records."""

    def decide(self, message: Message, time_left: TimeLeft) -> RecordReport:
        """Process one record up to its decision."""

    def perform(self, report: RecordReport) -> RecordReport:
        """Perform the decision, but do not acknowledge or hide the message. Returns a new report if a step failed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Batch:
    """Processes the records of one invocation, and returns the response to Lambda."""

    work: Work
    sqs: SQSClient
    queue_url: str
    telemetry: Telemetry
    threads: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, MOST_THREADS))
    """Kept for the next invocation of this process."""

    def handle(self, records: Sequence[SqsRecord], time_left: TimeLeft) -> BatchResponse:
        """Lambda acknowledges every record that is not in the response, so only finished records are left out."""
        self.work.begin(time_left)
        messages = [Message.of(record) for record in records]
        running: dict[Future[RecordReport], Message] = {}
        for message in messages:
            running[self.threads.submit(self._one, message, time_left)] = message
            time.sleep(THREAD_STAGGER_SECONDS)
        # Do not wait for a thread that hangs: it must not delay the response about the other records.
        wait(running, timeout=max(time_left() - ANSWER_MARGIN_SECONDS, 0))
        reports = [self._report_of(future, message) for future, message in running.items()]
        self._change_visibility(reports)
        self.telemetry.count(reports)
        return {
            "batchItemFailures": [
                {"itemIdentifier": report.message.message_id}
                for report in reports
                if isinstance(report.decision, RetryIn)
            ]
        }

    def _one(self, message: Message, time_left: TimeLeft) -> RecordReport:
        began = time.monotonic()
        report = replace(self.work.decide(message, time_left), seconds=time.monotonic() - began)
        # Log before the decision is performed: if a dead letter names a task, this line may be the song's only record.
        self.telemetry.log(report)
        done = self.work.perform(report)
        if done is not report:
            self.telemetry.log(done)
        return done

    def _report_of(self, future: Future[RecordReport], message: Message) -> RecordReport:
        if not future.done():
            # Its thread may still be running, so its visibility is not changed.
            hung = RetryIn(None, Reason.NO_TIME_LEFT, "the record was not finished when the invocation ended")
            report = RecordReport(message, hung)
        elif (failure := future.exception()) is not None:
            broken = RetryIn(None, Reason.UNFORESEEN, f"the record could not be reported ({type(failure).__name__})")
            report = RecordReport(message, broken, frames=frames_of(failure))
        else:
            return future.result()
        self.telemetry.log(report)
        return report

    def _change_visibility(self, reports: Iterable[RecordReport]) -> None:
        """Hide each retried message for the seconds of its decision.

        If SQS refuses, the message is delivered again after the queue's own visibility timeout: it is never lost.
        """
        waits = [
            (report.message, report.decision.seconds)
            for report in reports
            if isinstance(report.decision, RetryIn) and report.decision.seconds is not None
        ]
        for start in range(0, len(waits), MOST_CHANGES_A_CALL):
            some = waits[start : start + MOST_CHANGES_A_CALL]
            try:
                response = self.sqs.change_message_visibility_batch(
                    QueueUrl=self.queue_url,
                    Entries=[
                        {
                            "Id": str(i),
                            "ReceiptHandle": message.receipt_handle,
                            "VisibilityTimeout": math.ceil(min(seconds, LONGEST_WAIT_SECONDS)),
                        }
                        for i, (message, seconds) in enumerate(some)
                    ],
                )
            except AWS_FAILURES as failure:
                self.telemetry.visibility_change_failed(code_of(failure), len(some))
            else:
                for code, count in Counter(entry["Code"] for entry in response.get("Failed", [])).items():
                    self.telemetry.visibility_change_failed(code, count)
