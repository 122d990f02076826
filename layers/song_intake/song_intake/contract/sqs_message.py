"""One SQS message, as Lambda delivers it.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self, TypedDict

from song_intake.contract.request_id import as_request_id
from song_intake.domain.reason import Reason

# Attributes of a dead letter. A redrive keeps them, and they identify the message: AWS gives a redriven message a new
# id, so a request without an id of its own would otherwise count as a new request, and be paid for twice.
REASON = "reason"
REQUEST_ID = "request_id"
FIRST_MESSAGE_ID = "first_message_id"
TASK_ID = "task_id"

# On a message that was sent anew: the id of the message whose place it takes.
SENT_ANEW_FOR = "sent_anew_for"

_REASONS = frozenset(Reason)


def is_own_letter(reason: str | None, first_message_id: str | None) -> bool:
    """Whether a message with these attributes is a dead letter of this stack, or a message that it sent anew.

    Callers may use the same names. Whoever sends, moves or reads a message asks this function, so all agree.
    """
    return reason in _REASONS and as_request_id(first_message_id) is not None


class MessageAttribute(TypedDict, total=False):
    """An attribute of a message; a binary one has no stringValue."""

    dataType: str
    stringValue: str


class SqsRecord(TypedDict):
    """One message of the event."""

    messageId: str
    receiptHandle: str
    body: str
    attributes: dict[str, str]
    messageAttributes: dict[str, MessageAttribute]


class SqsEvent(TypedDict):
    """The event of one invocation: a batch of messages."""

    Records: list[SqsRecord]


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery of a message. No repr shows its body, attributes or receipt handle."""

    message_id: str
    receipt_handle: str = field(repr=False)
    body: str = field(repr=False)
    receive_count: int
    sent_at: float
    """When the message was put on its queue, in seconds since 1970; a redrive sets a new time."""
    attributes: dict[str, MessageAttribute] = field(repr=False)

    @classmethod
    def of(cls, record: SqsRecord) -> Self:
        """Raises KeyError or ValueError for a record of another form."""
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
        """The id of the message that first had this request, over any number of redrives."""
        return self._from_letter(FIRST_MESSAGE_ID) or self.message_id

    @property
    def delivery_id(self) -> str:
        """The id under which the ledger knows this delivery: a message sent anew is a redelivery of the one whose place
        it takes, while a redriven dead letter is another message.
        """
        return as_request_id(self._from_letter(SENT_ANEW_FOR)) or self.message_id

    @property
    def is_repeated(self) -> bool:
        """Whether an earlier delivery of this message may have been decided and followed up."""
        return self.receive_count > 1 or self.delivery_id != self.message_id

    @property
    def known_request_id(self) -> str | None:
        """The request's id in the ledger, if this is a redriven dead letter of this stack; else None."""
        return as_request_id(self._from_letter(REQUEST_ID))

    @property
    def known_task_id(self) -> str | None:
        """The task that was created but not recorded, if this is the redriven dead letter that names it; else None."""
        return self._from_letter(TASK_ID)

    @property
    def is_redriven(self) -> bool:
        """Whether this is a dead letter of this stack, back on its queue."""
        return is_own_letter(self._attribute(REASON), self._attribute(FIRST_MESSAGE_ID))

    def _from_letter(self, name: str) -> str | None:
        """An attribute of a dead letter. Callers may use the same names, so the message must be one of ours."""
        return self._attribute(name) if self.is_redriven else None

    def _attribute(self, name: str) -> str | None:
        return self.attributes.get(name, {}).get("stringValue")
