"""The queue of songs to look at: each message is one submitted song whose end is not known yet."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from song_intake.aws_failure import AWS_FAILURES, code_of
from song_intake.group_commit import GroupCommit
from song_intake.reason import Reason
from song_intake.undone import Undone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sqs import SQSClient

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html
LONGEST_DELAY_SECONDS = 900

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
MOST_ENTRIES = 10


class ChecksUnavailable(Undone):
    """The queue did not take the check, so the song is not followed yet."""

    reason = Reason.CHECKS_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class SongCheck:
    request_id: str
    task_id: str
    since: float
    """Seconds since 1970 when the song was submitted: following it is given up some hours after."""
    no_such_task: bool = False
    """Whether the last poll was told that there is no such task: a second time in a row ends it."""

    @classmethod
    def parse(cls, body: str) -> Self:
        """Raises KeyError, TypeError or ValueError for a body that this code did not write."""
        said = json.loads(body)
        return cls(str(said["request_id"]), str(said["task_id"]), float(said["since"]), bool(said["no_such_task"]))


@dataclass(frozen=True, slots=True)
class _Order:
    check: SongCheck
    delay: int


class SongChecks:
    """Safe to share between threads, whose checks of one moment go in one call.

    A song may be checked twice at once: a poll is free, its end is written once.
    """

    def __init__(self, sqs: SQSClient, queue_url: str, first_check: float) -> None:
        """first_check: seconds from a song's submission to the first look; songs take 20 to 80 (UPSTREAM)."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._first_check = min(first_check, LONGEST_DELAY_SECONDS)
        self._group = GroupCommit(self._send_all, MOST_ENTRIES)

    def follow(self, check: SongCheck) -> None:
        """Look at it after the usual first wait. Raises ChecksUnavailable."""
        self._send(check, int(self._first_check))

    def look_now(self, check: SongCheck) -> None:
        """Look at it at once. Raises ChecksUnavailable."""
        self._send(check, 0)

    def _send(self, check: SongCheck, delay: int) -> None:
        refusal = self._group.take(_Order(check, delay))
        if refusal is not None:
            raise ChecksUnavailable(refusal)

    def _send_all(self, orders: Sequence[_Order]) -> list[str | None]:
        """Why each was refused; None for one that was taken."""
        try:
            answer = self._sqs.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(i), "MessageBody": json.dumps(asdict(order.check)), "DelaySeconds": order.delay}
                    for i, order in enumerate(orders)
                ],
            )
        except AWS_FAILURES as failure:
            raise ChecksUnavailable(code_of(failure)) from None
        refused = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", [])}
        return [refused.get(str(i)) for i in range(len(orders))]
