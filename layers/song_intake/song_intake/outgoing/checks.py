"""The queue of checks: each message has one submitted song polled whose end is not known yet."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Self

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.aws.group_commit import GroupCommit
from song_intake.contract.hint import SignedHint
from song_intake.contract.request_id import as_request_id
from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.domain.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sqs import SQSClient

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html
LONGEST_DELAY_SECONDS = 900

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
MOST_CHECKS_A_CALL = 10


@frozen
class SongCheck:
    request_id: str
    task_id: str
    since: float
    """Seconds since 1970 when the song was submitted: tracking it is given up some hours later."""
    unknown_since: float | None = None
    """Seconds since 1970 when the API first did not know the task; None if the last poll with a status knew it."""
    hint: SignedHint | None = None
    """What a webhook said about the song. It counts only with a valid proof."""
    trace_id: str | None = None
    """The trace of the request, if the sender of the check knew it."""

    @classmethod
    def parse(cls, body: str, sent_at: float = 0.0) -> Self:
        """Raises KeyError, TypeError or ValueError for a body that this code did not write.

        sent_at: seconds since 1970 when SQS received the message. It replaces a missing `since`, and the release before
        this one had `no_such_task` for `unknown_since`: it sent such a check directly after the poll.
        """
        members = json.loads(body)
        request_id, task_id = as_request_id(members["request_id"]), str(members["task_id"])
        if request_id is None:
            raise ValueError("the check names no request")
        unknown_since = members.get("unknown_since", sent_at if members.get("no_such_task") else None)
        return cls(
            request_id,
            task_id,
            float(members.get("since", sent_at)),
            None if unknown_since is None else float(unknown_since),
            SignedHint.claimed_by(members.get("hint")),
            trace.trace_id if (trace := Trace.of_id(members.get("trace_id"))) else None,
        )

    @property
    def trace(self) -> Trace | None:
        """The same as a trace."""
        return Trace.of_id(self.trace_id)


@frozen
class _Order:
    check: SongCheck
    delay: int


class SongChecks:
    """Safe to share between threads; checks sent at the same moment share a call.

    A song may be polled twice at once: a poll is free, and the end is written once.
    """

    def __init__(self, sqs: SQSClient, queue_url: str, first_check: float) -> None:
        """first_check: seconds from a song's submission to the first poll; songs take 20 to 80 (UPSTREAM)."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._first_check = min(first_check, LONGEST_DELAY_SECONDS)
        self._group = GroupCommit(self._send_all, MOST_CHECKS_A_CALL)

    def schedule(self, check: SongCheck) -> None:
        """Poll the song after the usual first wait. Raises SideEffectFailed."""
        self._send(check, int(self._first_check))

    def poll_now(self, check: SongCheck) -> None:
        """Poll the song at once. Raises SideEffectFailed."""
        self._send(check, 0)

    def _send(self, check: SongCheck, delay: int) -> None:
        refusal = self._group.submit(_Order(check, delay))
        if refusal is not None:
            raise SideEffectFailed(Reason.CHECKS_UNAVAILABLE, refusal)

    def _send_all(self, orders: Sequence[_Order]) -> list[str | None]:
        """The code of each refusal; None for a check that was accepted."""
        try:
            answer = self._sqs.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(i), "MessageBody": json.dumps(asdict(order.check)), "DelaySeconds": order.delay}
                    for i, order in enumerate(orders)
                ],
            )
        except AWS_FAILURES as failure:
            raise SideEffectFailed(Reason.CHECKS_UNAVAILABLE, code_of(failure)) from None
        refused = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", [])}
        return [refused.get(str(i)) for i in range(len(orders))]
