"""The attributes of a message that the stack sends: its own, the caller's trace, and the caller's other attributes as
far as there is room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

from song_intake.contract.proof import PROOF
from song_intake.contract.sqs_message import (
    FIRST_MESSAGE_ID,
    FIRST_SENT_AT,
    REASON,
    REQUEST_ID,
    SENDER,
    SENT_ANEW_FOR,
    TASK_ID,
    TRACEPARENT,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from song_intake.contract.sqs_message import Message
    from song_intake.domain.trace import Trace

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
MOST_ATTRIBUTES = 10

# Attributes of a dead letter that describe the failure. They are for readers, and not proved.
DETAILS = ("detail", "http_status", "vendor_code", "receive_count")

# Names that the stack uses. A caller's attribute of such a name is left out: it would be read as the stack's.
OWN_ATTRIBUTES = frozenset(
    (
        REASON,
        *DETAILS,
        FIRST_MESSAGE_ID,
        FIRST_SENT_AT,
        REQUEST_ID,
        SENDER,
        SENT_ANEW_FOR,
        TASK_ID,
        PROOF,
    )
)


def attributes_of(
    message: Message, own: Mapping[str, str | None], trace: Trace | None
) -> dict[str, MessageAttributeValueTypeDef]:
    """`own`: the stack's attributes; those without a text are left out."""
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": text} for name, text in own.items() if text
    }
    if trace and len(attributes) < MOST_ATTRIBUTES:
        attributes[TRACEPARENT] = {"DataType": "String", "StringValue": trace.traceparent}
    for name, attribute in message.attributes.items():
        kind, text = attribute.get("dataType", ""), attribute.get("stringValue")
        # A binary attribute is left out, since no reader of these queues reads one.
        is_text = text and kind.startswith(("String", "Number"))
        is_kept = is_text and len(attributes) < MOST_ATTRIBUTES and name not in OWN_ATTRIBUTES
        if is_kept and name not in attributes:
            attributes[name] = {"DataType": kind, "StringValue": text or ""}
    return attributes


class _Group(TypedDict, total=False):
    MessageGroupId: str


def group_of(message: Message) -> _Group:
    """The argument of send_message that keeps the message in its group, by which a fair queue shares its consumers."""
    return {"MessageGroupId": message.group_id} if message.group_id else {}
