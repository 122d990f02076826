"""Moves dead letters back to their queues, for an operator: python -m song_intake.commands.redrive STACK

SQS can move them too, but knows nothing of the ledger: a letter that SQS moved without our attributes (its function
crashed on every receive) would come back under a new message id, and a request without an id of its own would be a new
request, although its song may exist. So such a letter gets its first message id on the way.

A letter is sent before it is deleted. After a crash in between it is on both queues; the ledger recognises the
duplicate.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import boto3

from song_intake.commands.stack import outputs_of
from song_intake.contract.sqs_message import FIRST_MESSAGE_ID, REASON
from song_intake.domain.reason import Reason
from song_intake.outgoing.dead_letters import MOST_ATTRIBUTES

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

# Long enough to send a letter on, short enough to see one that was left over soon again.
HIDDEN_SECONDS = 30


def redrive(sqs: SQSClient, dead_letters_url: str, requests_url: str) -> int:
    """Moves every letter that is visible now, and returns how many.

    Not those that come meanwhile: a request in doubt is back as a letter a moment after it was moved.
    """
    moved = 0
    for letter in _letters(sqs, dead_letters_url):
        sqs.send_message(QueueUrl=requests_url, MessageBody=letter["Body"], MessageAttributes=_attributes(letter))
        sqs.delete_message(QueueUrl=dead_letters_url, ReceiptHandle=letter["ReceiptHandle"])
        moved += 1
    return moved


def _letters(sqs: SQSClient, url: str) -> Iterator[MessageTypeDef]:
    began: float | None = None
    while True:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        # By the clock of SQS, which stamps the letters too.
        began = began or parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
        old = [letter for letter in answer.get("Messages", []) if _sent_at(letter) <= began]
        for late in (letter for letter in answer.get("Messages", []) if _sent_at(letter) > began):
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=late["ReceiptHandle"], VisibilityTimeout=0)
        if not old:
            return
        yield from old


def _sent_at(letter: MessageTypeDef) -> float:
    """Whole seconds, as the clock that it is compared with has them."""
    return int(letter["Attributes"]["SentTimestamp"]) // 1000


def _attributes(letter: MessageTypeDef) -> dict[str, MessageAttributeValueTypeDef]:
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": value["DataType"], "StringValue": value["StringValue"]}
        for name, value in letter.get("MessageAttributes", {}).items()
        if "StringValue" in value
    }
    if REASON in attributes and FIRST_MESSAGE_ID in attributes:
        return attributes
    ours: dict[str, MessageAttributeValueTypeDef] = {
        REASON: {"DataType": "String", "StringValue": Reason.UNFORESEEN},
        FIRST_MESSAGE_ID: {"DataType": "String", "StringValue": letter["MessageId"]},
    }
    theirs = [(name, value) for name, value in attributes.items() if name not in ours]
    return {**ours, **dict(theirs[: MOST_ATTRIBUTES - len(ours)])}


def main(stack: str) -> None:
    """Prints how many were moved."""
    outputs = outputs_of(stack)
    sqs = boto3.client("sqs")
    requests = redrive(sqs, outputs["DeadLetterQueueUrl"], outputs["SongRequestsQueueUrl"])
    checks = redrive(sqs, outputs["CheckDeadLetterQueueUrl"], outputs["SongChecksQueueUrl"])
    print(f"{stack}: {requests} requests and {checks} checks are back on their queues")  # noqa: T201 - what it is run for


if __name__ == "__main__":
    main(*sys.argv[1:])
