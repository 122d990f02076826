"""The records of a batch, side by side, each isolated from the others.

A batch may not take longer than its slowest call, so every record has a thread. One that raises, or hangs past the
invocation's end (a name server can), fails alone: it is reported in batchItemFailures and comes back, while the others
are acknowledged.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypedDict

from song_intake.aws_failure import AWS_FAILURES
from song_intake.decision import RetryIn
from song_intake.message import Message, SqsRecord
from song_intake.reason import Reason
from song_intake.telemetry import Report, frames_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from song_intake.telemetry import Telemetry

TimeLeft = Callable[[], float]
"""Seconds until the function is stopped."""

# Kept of the invocation to answer Lambda when a record hangs.
ANSWER_MARGIN_SECONDS = 1.0

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
MOST_ENTRIES = 10

# Threads are kept, since making and ending one for each record took a tenth of the CPU of a batch of ten, and a quarter
# of that of a hundred. This is no limit that is reached: a thread that is idle is taken before a new one is made, and
# one that hangs is not idle.
MOST_THREADS = 10_000

# From one thread's beginning to the next one's. A hundred that begin at one moment hold each other up until all of them
# are ready to send, and the music API waits meanwhile: a seventh of what a batch of 100 takes beyond its creates.
BREATH_SECONDS = 0.0001


class BatchItemFailure(TypedDict):
    itemIdentifier: str


class BatchResponse(TypedDict):
    batchItemFailures: list[BatchItemFailure]


class Work(Protocol):
    """What is done with one record."""

    def begin(self, time_left: TimeLeft) -> None:
        """An invocation begins; before any of its records."""

    def take(self, message: Message, time_left: TimeLeft) -> Report:
        """Bring the record to its decision."""

    def carry_out(self, report: Report) -> Report:
        """Do what follows from it, but for the acknowledgement and the waiting. Another report where that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Takes the records of one invocation to their decisions, and answers Lambda by these."""

    work: Work
    sqs: SQSClient
    queue_url: str
    telemetry: Telemetry
    threads: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, MOST_THREADS))
    """Kept for the next invocation of this process."""

    def take(self, records: Sequence[SqsRecord], time_left: TimeLeft) -> BatchResponse:
        """Every record not named in the response is acknowledged by Lambda, so only what is done is left out of it."""
        self.work.begin(time_left)
        messages = [Message.of(record) for record in records]
        running: dict[Future[Report], Message] = {}
        for message in messages:
            running[self.threads.submit(self._one, message, time_left)] = message
            time.sleep(BREATH_SECONDS)
        # A thread that hangs is not waited for: it must not hold the answer about the others.
        wait(running, timeout=max(time_left() - ANSWER_MARGIN_SECONDS, 0))
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
        began = time.monotonic()
        report = replace(self.work.take(message, time_left), seconds=time.monotonic() - began)
        # Told before it is carried out: where a dead letter names a task, this line may be all that is left of a song.
        self.telemetry.log(report)
        done = self.work.carry_out(report)
        if done is not report:
            self.telemetry.log(done)
        return done

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
