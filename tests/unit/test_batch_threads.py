"""The threads of a process: parallel in a batch, reused by the next one, and not blocked by one that hangs."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import pytest

from song_intake.contract.sqs_message import Message, SqsRecord
from song_intake.domain.decision import Done
from song_intake.outgoing.telemetry import RecordReport
from song_intake.work.batch import Batch, TimeLeft
from tests.properties.simulation.silence import SILENT

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

PATIENCE = 10.0
HANGS = "hangs"


class Gathering:
    """Work in which no record is done until the expected number has begun. A hanging record does not count."""

    def __init__(self) -> None:
        self.everyone = threading.Barrier(1)
        self.threads: set[int] = set()
        self.release = threading.Event()

    def begin(self, time_left: TimeLeft) -> None:
        self.threads = set()

    def decide(self, message: Message, time_left: TimeLeft) -> RecordReport:
        if message.body == HANGS:
            self.release.wait(PATIENCE)
            return RecordReport(message, Done(None))
        self.threads.add(threading.get_ident())
        self.everyone.wait(PATIENCE)
        return RecordReport(message, Done(None))

    def perform(self, report: RecordReport) -> RecordReport:
        return report


@pytest.fixture
def work() -> Iterator[Gathering]:
    work = Gathering()
    yield work
    work.release.set()


@pytest.fixture
def batch(work: Gathering) -> Batch:
    return Batch(work=work, sqs=cast("SQSClient", None), queue_url="", telemetry=SILENT)


def records(count: int, body: str = "{}") -> list[SqsRecord]:
    return [
        {
            "messageId": f"{body}-{number}",
            "receiptHandle": "",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
        }
        for number in range(count)
    ]


def handle(batch: Batch, work: Gathering, count: int, hanging: int = 0) -> set[int]:
    """The threads that handled the records. All of them had to work at the same time."""
    work.everyone = threading.Barrier(count)
    response = batch.handle([*records(count), *records(hanging, HANGS)], lambda: 1.2 if hanging else PATIENCE)
    assert len(response["batchItemFailures"]) == hanging
    return work.threads


def test_every_record_has_a_thread_in_a_batch_of_any_size(batch: Batch, work: Gathering) -> None:
    for count in (1, 3, 2, 10, 100):
        assert len(handle(batch, work, count)) == count


def test_later_batches_reuse_the_threads(batch: Batch, work: Gathering) -> None:
    seen = handle(batch, work, 10)
    for _ in range(20):
        seen |= handle(batch, work, 10)
    # A few more than ten, since a batch may start before the last threads of the earlier one are idle.
    assert len(seen) < 30


def test_a_hanging_record_blocks_no_thread_of_the_next_batch(batch: Batch, work: Gathering) -> None:
    assert len(handle(batch, work, count=2, hanging=8)) == 2
    assert len(handle(batch, work, count=10)) == 10
