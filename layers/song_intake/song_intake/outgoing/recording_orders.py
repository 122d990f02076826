"""The queue of recordings: each message has the recordings of one song copied. It names the song, and no link."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Self

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.contract.request_id import as_request_id
from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.domain.trace import Trace

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@frozen
class RecordingOrder:
    request_id: str
    task_id: str
    since: float
    """Seconds since 1970 when the recordings were first asked for: copying is given up some days later."""
    trace_id: str | None = None

    @classmethod
    def parse(cls, body: str) -> Self:
        """Raises KeyError, TypeError or ValueError for a body that this code did not write."""
        members = json.loads(body)
        request_id = as_request_id(members["request_id"])
        if request_id is None:
            raise ValueError("the order names no request")
        trace = Trace.of_id(members.get("trace_id"))
        return cls(request_id, str(members["task_id"]), float(members["since"]), trace.trace_id if trace else None)

    @property
    def trace(self) -> Trace | None:
        """The trace of the request."""
        return Trace.of_id(self.trace_id)


class RecordingOrders:
    """Safe to share between threads. A song may be ordered twice: each recording is written once."""

    def __init__(self, sqs: SQSClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, order: RecordingOrder) -> None:
        """Raises SideEffectFailed."""
        try:
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(asdict(order)))
        except AWS_FAILURES as failure:
            raise SideEffectFailed(Reason.RECORDINGS_QUEUE_UNAVAILABLE, code_of(failure)) from None
