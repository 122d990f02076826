"""A dead-letter queue as an operator reads it: every letter once, hidden meanwhile and shown again at the end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from song_intake.aws.failure import AWS_FAILURES
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MOST_LETTERS_READ = 1000
"""Of one queue, by one command, unless the operator gives another limit."""

_A_CALL = 10
_LONG_POLL_SECONDS = 1
"""Any wait makes SQS ask all of its servers; without one, it may return nothing although there are letters."""

_HIDDEN_SECONDS = 300

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@frozen
class DeadLetterShown:
    """What is shown of a letter. Its attributes are not verified: only the functions have the key."""

    queue: str
    message_id: str
    sent_at: float
    """Seconds since 1970."""
    reason: str
    request_id: str | None
    detail: str | None
    body: str
    attributes: Mapping[str, str]
    receipt_handle: str

    @classmethod
    def of(cls, queue: str, message: MessageTypeDef) -> DeadLetterShown:
        system = message.get("Attributes", {})
        attributes = {name: one.get("StringValue", "") for name, one in message.get("MessageAttributes", {}).items()}
        # As redrive_letters counts it: the attributes of a letter that SQS moved are its sender's.
        is_moved_by_sqs = "DeadLetterQueueSourceArn" in system
        own = {} if is_moved_by_sqs else attributes
        return cls(
            queue=queue,
            message_id=message["MessageId"],
            sent_at=int(system.get("SentTimestamp", "0")) / 1000,
            reason=Reason.UNFORESEEN if is_moved_by_sqs else own.get("reason", "-"),
            request_id=own.get("request_id"),
            detail=own.get("detail"),
            body=message["Body"],
            attributes=attributes,
            receipt_handle=message["ReceiptHandle"],
        )

    @property
    def age(self) -> str:
        """How long ago it was sent, in the largest unit that fits."""
        seconds = max(time.time() - self.sent_at, 1)
        return next(f"{seconds // size:.0f} {unit}" for size, unit in _UNITS if seconds >= size)

    def as_json(self) -> dict[str, Any]:
        return {
            "queue": self.queue,
            "message_id": self.message_id,
            "age_seconds": round(time.time() - self.sent_at),
            "reason": self.reason,
            "request_id": self.request_id,
            "detail": self.detail,
            "attributes": dict(self.attributes),
            "body": self.body,
        }


@contextmanager
def held_letters(sqs: SQSClient, urls: Mapping[str, str], limit: int) -> Iterator[list[DeadLetterShown]]:
    """The letters of these queues, at most `limit` of each, oldest first. Those that are left are visible at the end.

    urls: by the names of the queues. Raises AWS_FAILURES. A crash leaves letters hidden for _HIDDEN_SECONDS.
    """
    held: dict[str, list[DeadLetterShown]] = {queue: [] for queue in urls}
    try:
        with ThreadPoolExecutor(len(urls)) as threads:
            reads = [threads.submit(_read, sqs, queue, url, limit, held[queue]) for queue, url in urls.items()]
            for read in reads:
                read.result()
        yield sorted((letter for found in held.values() for letter in found), key=lambda letter: letter.sent_at)
    finally:
        for queue, url in urls.items():
            _show_again(sqs, url, held[queue])


def _read(sqs: SQSClient, queue: str, url: str, limit: int, held: list[DeadLetterShown]) -> None:
    while len(held) < limit:
        received = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(_A_CALL, limit - len(held)),
            WaitTimeSeconds=_LONG_POLL_SECONDS,
            VisibilityTimeout=_HIDDEN_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not received:
            return
        held += [DeadLetterShown.of(queue, message) for message in received]


def delete_letters(sqs: SQSClient, url: str, letters: Sequence[DeadLetterShown]) -> int:
    """Delete letters that are held. Returns how many SQS deleted. Raises AWS_FAILURES."""
    deleted = 0
    for part in _parts(letters):
        entries = [{"Id": str(i), "ReceiptHandle": letter.receipt_handle} for i, letter in enumerate(part)]
        answer = sqs.delete_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]
        deleted += len(answer.get("Successful", []))
    return deleted


def _show_again(sqs: SQSClient, url: str, letters: Sequence[DeadLetterShown]) -> None:
    """A letter that was deleted meanwhile is an error of its entry only."""
    for part in _parts(letters):
        with contextlib.suppress(*AWS_FAILURES):
            sqs.change_message_visibility_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(i), "ReceiptHandle": letter.receipt_handle, "VisibilityTimeout": 0}
                    for i, letter in enumerate(part)
                ],
            )


def _parts(letters: Sequence[DeadLetterShown]) -> Iterator[Sequence[DeadLetterShown]]:
    return (letters[start : start + _A_CALL] for start in range(0, len(letters), _A_CALL))
