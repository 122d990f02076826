"""Reading a queue to its end, although a short poll may miss messages that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MOST_MESSAGES = 10  # of one receive
LONG_POLL_SECONDS = 1  # any wait makes SQS ask all of its servers


def receive_all(sqs: SQSClient, queue_url: str, **arguments: Any) -> list[MessageTypeDef]:
    """Every visible message, received by long polls. An empty queue costs no wait: its count says that it is empty."""
    found: list[MessageTypeDef] = []
    while visible(sqs, queue_url):
        found += sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=MOST_MESSAGES,
            WaitTimeSeconds=LONG_POLL_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
            **arguments,
        ).get("Messages", [])
    return found


def visible(sqs: SQSClient, queue_url: str) -> int:
    """How many messages can be received now. Approximate on AWS, exact in the local cloud."""
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])
