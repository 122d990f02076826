"""A dead letter as SQS returns it to whoever receives it, which is not the form of Lambda's event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from song_intake.contract.sqs_message import Message, sender_in

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef


def message_of(received: MessageTypeDef) -> Message:
    """The letter as a message. Nothing of its attributes is proved yet."""
    system = received.get("Attributes", {})
    return Message(
        message_id=received["MessageId"],
        receipt_handle=received["ReceiptHandle"],
        body=received["Body"],
        receive_count=int(system.get("ApproximateReceiveCount", "1")),
        sent_at=int(system.get("SentTimestamp", "0")) / 1000,
        attributes={
            name: {"dataType": value["DataType"], "stringValue": value.get("StringValue", "")}
            for name, value in received.get("MessageAttributes", {}).items()
        },
        sent_by=sender_in(system.get("SenderId")),
        group_id=system.get("MessageGroupId"),
        xray_header=system.get("AWSTraceHeader"),
    )
