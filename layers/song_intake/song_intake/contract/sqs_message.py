"""One SQS message as Lambda hands it over: the only Lambda event that this package knows.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self, TypedDict

from song_intake.domain.reason import Reason

# The attributes of a dead letter that a redrive brings back, and by which the message is known again: AWS gives a
# redriven message a new id, so a request without an id of its own would otherwise be a new request, and paid for twice.
REASON = "reason"
REQUEST_ID = "request_id"
FIRST_MESSAGE_ID = "first_message_id"
TASK_ID = "task_id"

_REASONS = frozenset(Reason)


class MessageAttribute(TypedDict, total=False):
    dataType: str
    stringValue: str


class SqsRecord(TypedDict):
    messageId: str
    receiptHandle: str
    body: str
    attributes: dict[str, str]
    messageAttributes: dict[str, MessageAttribute]


class SqsEvent(TypedDict):
    Records: list[SqsRecord]


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery of a song request."""

    message_id: str
    receipt_handle: str = field(repr=False)
    body: str = field(repr=False)
    receive_count: int
    sent_at: float
    """Seconds since 1970 when it was put on its queue; a redrive puts it there anew."""
    attributes: dict[str, MessageAttribute] = field(repr=False)

    @classmethod
    def of(cls, record: SqsRecord) -> Self:
        return cls(
            message_id=record["messageId"],
            receipt_handle=record["receiptHandle"],
            body=record["body"],
            receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
            sent_at=int(record["attributes"].get("SentTimestamp", "0")) / 1000,
            attributes=record.get("messageAttributes") or {},
        )

    @property
    def first_message_id(self) -> str:
        """The id under which the request first came, over any number of redrives."""
        return self._from_letter(FIRST_MESSAGE_ID) or self.message_id

    @property
    def known_request_id(self) -> str | None:
        """The id under which the ledger knows the request already, if this is one of our dead letters, redriven."""
        return self._from_letter(REQUEST_ID)

    @property
    def known_task_id(self) -> str | None:
        """The task that was created for this request but not recorded, if this is the dead letter that carries it."""
        return self._from_letter(TASK_ID)

    @property
    def is_redriven(self) -> bool:
        """Whether this is one of our dead letters, back on its queue."""
        return self._attribute(REASON) in _REASONS and self._attribute(FIRST_MESSAGE_ID) is not None

    def _from_letter(self, name: str) -> str | None:
        """An attribute of ours. A caller may use these names for something else, so the letter must look like one."""
        return self._attribute(name) if self.is_redriven else None

    def _attribute(self, name: str) -> str | None:
        return self.attributes.get(name, {}).get("stringValue")
