"""Writes dead letters: a copy of the message, unchanged, with the reason in its attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.contract.sqs_message import FIRST_MESSAGE_ID, REASON, REQUEST_ID, TASK_ID
from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.reason import Reason

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import DeadLetter

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
MOST_ATTRIBUTES = 10


class DeadLetters:
    """Safe to share between threads. A letter is sent before its message is acknowledged, so it may be sent twice.

    Every body leaves room for the attributes: the template gives the request queue a lower size limit than this queue.
    """

    def __init__(self, sqs: SQSClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, message: Message, letter: DeadLetter, request_id: str | None) -> None:
        """Send the dead letter. The caller's own attributes are kept while there is room. Raises SideEffectFailed."""
        attributes = _attributes(message, letter, request_id)
        for name, attribute in message.attributes.items():
            if len(attributes) < MOST_ATTRIBUTES and name not in attributes and name not in _OURS:
                attributes |= _copied(name, attribute.get("dataType", ""), attribute.get("stringValue"))
        try:
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=message.body, MessageAttributes=attributes)
        except AWS_FAILURES as failure:
            raise SideEffectFailed(Reason.DEAD_LETTER_QUEUE_UNAVAILABLE, code_of(failure)) from None


def _attributes(
    message: Message, letter: DeadLetter, request_id: str | None
) -> dict[str, MessageAttributeValueTypeDef]:
    texts = {
        REASON: letter.reason.value,
        "detail": letter.detail,
        "http_status": None if letter.http_status is None else str(letter.http_status),
        "vendor_code": letter.vendor_code,
        "receive_count": str(message.receive_count),
        FIRST_MESSAGE_ID: message.first_message_id,
        # A redriven message keeps its id, even if its body became invalid because a stricter contract was deployed.
        REQUEST_ID: request_id or message.known_request_id,
        TASK_ID: letter.task_id or message.known_task_id,
    }
    return {name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text}


_OURS = frozenset(
    (REASON, "detail", "http_status", "vendor_code", "receive_count", FIRST_MESSAGE_ID, REQUEST_ID, TASK_ID)
)


def _copied(name: str, kind: str, text: str | None) -> dict[str, MessageAttributeValueTypeDef]:
    """A string or number attribute. A binary one is left out: no reader of this queue uses it."""
    return {name: {"DataType": kind, "StringValue": text}} if text and kind.startswith(("String", "Number")) else {}
