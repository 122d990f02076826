"""Moves dead letters back to their queues, for an operator: python -m song_intake.commands.redrive STACK

The redrive of SQS itself loses the identity of some requests: a letter that SQS moved without our attributes (its
function crashed on every receive) would get a new message id, and a request without an id of its own would count as a
new request, although its song may exist. So this command adds the first message id to such a letter.

A letter is sent before it is deleted. After a crash in between it is on both queues, and the ledger recognises the
duplicate.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import boto3

from song_intake.commands.stack import outputs_of
from song_intake.commands.terminal import print_line
from song_intake.contract.sqs_message import FIRST_MESSAGE_ID, REASON, is_own_letter
from song_intake.domain.reason import Reason
from song_intake.outgoing.attributes import MOST_ATTRIBUTES, OWN_ATTRIBUTES

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

# Our choice: long enough to send ten letters, short enough that a letter left by a crash is soon visible again.
HIDDEN_SECONDS = 30


def redrive(sqs: SQSClient, dead_letters_url: str, requests_url: str) -> int:
    """Moves every letter that is visible at the start, and returns their number.

    Later letters are not moved: a request in doubt becomes a letter again moments after it was moved.
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
        # The clock of SQS, which also sets the letters' SentTimestamp.
        began = began or parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
        old = [letter for letter in answer.get("Messages", []) if _sent_at(letter) <= began]
        for late in (letter for letter in answer.get("Messages", []) if _sent_at(letter) > began):
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=late["ReceiptHandle"], VisibilityTimeout=0)
        if not old:
            return
        yield from old


def _sent_at(letter: MessageTypeDef) -> float:
    """In whole seconds since 1970, like the date header that it is compared with."""
    return int(letter["Attributes"]["SentTimestamp"]) // 1000


def _attributes(letter: MessageTypeDef) -> dict[str, MessageAttributeValueTypeDef]:
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": value["DataType"], "StringValue": value["StringValue"]}
        for name, value in letter.get("MessageAttributes", {}).items()
        if "StringValue" in value
    }
    if is_own_letter(_text(attributes, REASON), _text(attributes, FIRST_MESSAGE_ID)):
        return attributes
    ours: dict[str, MessageAttributeValueTypeDef] = {
        REASON: {"DataType": "String", "StringValue": Reason.UNFORESEEN},
        FIRST_MESSAGE_ID: {"DataType": "String", "StringValue": letter["MessageId"]},
    }
    # A caller's attribute of a name that the stack uses is left out: it would be read as the stack's from here on.
    callers = [(name, value) for name, value in attributes.items() if name not in OWN_ATTRIBUTES]
    return {**ours, **dict(callers[: MOST_ATTRIBUTES - len(ours)])}


def _text(attributes: Mapping[str, MessageAttributeValueTypeDef], name: str) -> str | None:
    return attributes[name].get("StringValue") if name in attributes else None


def main(stack: str) -> None:
    """Move the dead letters of requests and of checks, and print how many."""
    outputs = outputs_of(stack)
    sqs = boto3.client("sqs")
    requests = redrive(sqs, outputs["DeadLetterQueueUrl"], outputs["SongRequestsQueueUrl"])
    checks = redrive(sqs, outputs["CheckDeadLetterQueueUrl"], outputs["SongChecksQueueUrl"])
    print_line(f"{stack}: {requests} requests and {checks} checks are back on their queues")


if __name__ == "__main__":
    main(*sys.argv[1:])
