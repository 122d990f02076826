"""One SQS message, as Lambda delivers it.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Self, TypedDict

from song_intake.contract.request_id import as_request_id
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.domain.trace import Trace

# Attributes of a dead letter, and of a message that was sent anew. A redrive keeps them, and they identify the message:
# AWS gives a redriven message a new id, so a request without an id of its own would otherwise count as a new request,
# and be paid for twice.
REASON = "reason"
REQUEST_ID = "request_id"
FIRST_MESSAGE_ID = "first_message_id"
TASK_ID = "task_id"

# On a message that was sent anew: the id of the message whose place it takes.
SENT_ANEW_FOR = "sent_anew_for"

# Who sent the message first. A message that the stack sends has the stack's own SenderId.
SENDER = "sender"

# When the message was first put on the queue, in milliseconds since 1970: only on a message that was sent anew, and not
# proved, since nothing but a metric depends on it.
FIRST_SENT_AT = "first_sent_at"

# The trace of the caller: an attribute of the caller, which the stack adds to messages that it sends.
TRACEPARENT = "traceparent"

_REASONS = frozenset(Reason)
_MILLISECONDS = re.compile(r"[0-9]{1,14}")


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


@frozen
class Origin:
    """What the stack knows about a message that it wrote itself. Callers may use the same names for attributes of their
    own, so it counts only with a proof: see proof.py.
    """

    reason: str
    first_message_id: str
    """The id of the message that first had this request, over any number of redrives."""
    request_id: str | None = None
    """The request's id in the ledger, if it is known."""
    task_id: str | None = None
    """The task that was created but not recorded."""
    sent_anew_for: str | None = None
    sender: str | None = None
    """Who sent the message first: see Message.sender."""

    @classmethod
    def claimed_by(cls, attributes: Mapping[str, MessageAttribute]) -> Self | None:
        """What these attributes claim, proved or not; None if they have not the form that the stack gives them."""
        reason, first_message_id = _text(attributes, REASON), as_request_id(_text(attributes, FIRST_MESSAGE_ID))
        if reason not in _REASONS or first_message_id is None:
            return None
        return cls(
            reason,
            first_message_id,
            request_id=as_request_id(_text(attributes, REQUEST_ID)),
            task_id=_text(attributes, TASK_ID),
            sent_anew_for=as_request_id(_text(attributes, SENT_ANEW_FOR)),
            sender=as_request_id(_text(attributes, SENDER)),
        )

    def texts(self) -> dict[str, str | None]:
        """The attributes by name."""
        return {
            REASON: self.reason,
            FIRST_MESSAGE_ID: self.first_message_id,
            REQUEST_ID: self.request_id,
            TASK_ID: self.task_id,
            SENT_ANEW_FOR: self.sent_anew_for,
            SENDER: self.sender,
        }


def _text(attributes: Mapping[str, MessageAttribute], name: str) -> str | None:
    return attributes.get(name, {}).get("stringValue") or None


def sender_in(sender_id: str | None) -> str | None:
    """The user, the role or the service in a SenderId. Of a role's session it is the part before the colon, so all
    sessions of a role are one sender. None: SQS named nobody, or in a form that no id has.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
    """
    return as_request_id((sender_id or "").partition(":")[0])


@frozen
class Message:
    """One delivery of a message. No repr shows its body, attributes or receipt handle."""

    message_id: str
    receipt_handle: str = field(repr=False)
    body: str = field(repr=False)
    receive_count: int
    sent_at: float
    """When the message was put on its queue, in seconds since 1970; a redrive sets a new time."""
    attributes: dict[str, MessageAttribute] = field(repr=False)
    sent_by: str | None = None
    """The sender of this very message, in SQS's own words: see sender_in."""
    group_id: str | None = None
    """The group of a fair queue, which every message that takes this one's place keeps."""
    xray_header: str | None = field(default=None, repr=False)
    """What SQS has as the trace of this very message, unread."""
    origin: Origin | None = None
    """What is proved about the message; None for a message of a caller, and before Proofs has read the message."""

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
            sent_by=sender_in(record["attributes"].get("SenderId")),
            group_id=record["attributes"].get("MessageGroupId"),
            xray_header=record["attributes"].get("AWSTraceHeader"),
        )

    @property
    def trace(self) -> Trace | None:
        """The caller's trace, over any number of redrives; None without one.

        On a message that the stack wrote, SQS may have the trace of the function that sent it, which is not the
        caller's: the SDK adds it to every call of a function.
        """
        trace = Trace.of_traceparent(_text(self.attributes, TRACEPARENT))
        return trace or (None if self.origin else Trace.of_xray_header(self.xray_header))

    @property
    def first_sent_at(self) -> float:
        """When the message was put on its queue, in seconds since 1970: not for the first time since it is waiting for
        its slot, but since its sender or a redrive put it there.
        """
        text = _text(self.attributes, FIRST_SENT_AT) if self.origin and self.origin.sent_anew_for else None
        first = int(text) / 1000 if text and _MILLISECONDS.fullmatch(text) else self.sent_at
        return min(first, self.sent_at)

    @property
    def sender(self) -> str | None:
        """Who sent the message first, over any number of redrives. Where that is not proved, who sent this one."""
        return (self.origin.sender if self.origin else None) or self.sent_by

    @property
    def first_message_id(self) -> str:
        """The id of the message that first had this request, over any number of redrives."""
        return self.origin.first_message_id if self.origin else self.message_id

    @property
    def delivery_id(self) -> str:
        """The id under which the ledger knows this delivery: a message sent anew is a redelivery of the one whose place
        it takes, while a redriven dead letter is another message.
        """
        return (self.origin.sent_anew_for if self.origin else None) or self.message_id

    @property
    def is_repeated(self) -> bool:
        """Whether an earlier delivery of this message may have been decided and followed up."""
        return self.receive_count > 1 or self.delivery_id != self.message_id

    @property
    def known_request_id(self) -> str | None:
        """The request's id in the ledger, if this is a message that the stack wrote; else None."""
        return self.origin.request_id if self.origin else None

    @property
    def known_task_id(self) -> str | None:
        """The task that was created but not recorded, if this is the redriven dead letter that names it; else None."""
        return self.origin.task_id if self.origin else None

    @property
    def is_redriven(self) -> bool:
        """Whether this is a dead letter of this stack, back on its queue, or a message that the stack sent anew."""
        return self.origin is not None
