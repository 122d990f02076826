"""The queues and the bus of a bench: send to them, and read from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.local.cloud.events_to_queue import send_events_to
from tests.local.cloud.received import receive_all, visible

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from song_intake.contract.sqs_message import MessageAttribute, SqsRecord


_SYSTEM_ATTRIBUTES = ("ApproximateReceiveCount", "SentTimestamp", "AWSTraceHeader")


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: its body and the texts of its attributes."""

    body: str
    attributes: Mapping[str, str]
    receipt_handle: str


class BenchQueue:
    """A queue of one test's own. A received message is hidden for the queue's 30 seconds."""

    def __init__(self, sqs: SQSClient, name: str) -> None:
        self._sqs = sqs
        self.url = sqs.create_queue(QueueName=name)["QueueUrl"]

    @property
    def arn(self) -> str:
        return self._attributes()["QueueArn"]

    @property
    def delayed(self) -> int:
        """Messages that cannot be received yet."""
        return int(self._attributes()["ApproximateNumberOfMessagesDelayed"])

    @property
    def visible(self) -> int:
        """Messages that can be received now."""
        return visible(self._sqs, self.url)

    def send(self, body: str, attributes: Mapping[str, str] | None = None, xray_header: str | None = None) -> str:
        """Puts a message on the queue; its id. xray_header: the trace that SQS has of it."""
        system: Any = {"AWSTraceHeader": {"DataType": "String", "StringValue": xray_header}} if xray_header else {}
        texts: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": text} for name, text in (attributes or {}).items()
        }
        return self._sqs.send_message(
            QueueUrl=self.url, MessageBody=body, MessageAttributes=texts, MessageSystemAttributes=system
        )["MessageId"]

    def delete(self, receipt_handle: str) -> None:
        self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=receipt_handle)

    def records(self) -> list[SqsRecord]:
        """The visible messages, as Lambda delivers them."""
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {
                    name: text for name, text in message["Attributes"].items() if name in _SYSTEM_ATTRIBUTES
                },
                "messageAttributes": {
                    name: _as_in_a_record(value) for name, value in message.get("MessageAttributes", {}).items()
                },
            }
            for message in self.messages()
        ]

    def letters(self) -> list[Letter]:
        """The visible messages, as dead letters."""
        return [
            Letter(
                message["Body"],
                {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()},
                message["ReceiptHandle"],
            )
            for message in self.messages()
        ]

    def messages(self) -> list[Any]:
        """The visible messages, as SQS returns them."""
        return [*receive_all(self._sqs, self.url)]

    def _attributes(self) -> Mapping[str, str]:
        attributes = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        return {str(name): text for name, text in attributes.items()}


class BenchBus:
    """An event bus with a rule and a queue, as a consumer of the stack would create them."""

    def __init__(self, events: EventBridgeClient, sqs: SQSClient, name: str, source: str = "song-intake") -> None:
        self.name = name
        self._queue = BenchQueue(sqs, f"{name}-events")
        events.create_event_bus(Name=name)
        send_events_to(events, sqs, self._queue.url, bus=name, rule=name, source=source)

    def events(self) -> list[dict[str, Any]]:
        """The events received since the last call, in order."""
        return [json.loads(message["Body"]) for message in self._queue.messages()]

    def details(self) -> list[dict[str, Any]]:
        """The details of these events."""
        return [event["detail"] for event in self.events()]


def _as_in_a_record(value: Any) -> MessageAttribute:
    return {"dataType": value["DataType"], "stringValue": value.get("StringValue", "")}
