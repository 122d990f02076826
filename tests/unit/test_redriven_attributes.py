"""The attributes that a redrive adds to a letter are those by which the message is recognised afterwards."""

from typing import TYPE_CHECKING

import pytest

from song_intake.commands.redrive import _attributes
from song_intake.contract.sqs_message import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# What a letter that SQS moved may carry: the attributes of its sender.
SENDERS = [
    {},
    {"reason": "birthday", "first_message_id": "mail-7"},
    {"reason": "birthday", "first_message_id": "mail-7", "request_id": "theirs", "task_id": "theirs"},
    {"reason": "UNFORESEEN", "first_message_id": "#intake", "request_id": "theirs", "task_id": "theirs"},
    {"reason": "UNFORESEEN", "request_id": "theirs", "task_id": "theirs", "sent_anew_for": "theirs"},
    {"first_message_id": "mail-7"},
    {f"name-{number}": "x" for number in range(10)},
]


def redriven(sent: dict[str, str]) -> Message:
    """The letter `letter-1` with the sender's attributes, as it is read after its redrive."""
    letter: MessageTypeDef = {
        "MessageId": "letter-1",
        "MessageAttributes": {name: {"DataType": "String", "StringValue": text} for name, text in sent.items()},
    }
    return Message.of(
        {
            "messageId": "message-2",
            "receiptHandle": "receipt",
            "body": "{}",
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {
                name: {"dataType": value["DataType"], "stringValue": value.get("StringValue", "")}
                for name, value in _attributes(letter).items()
            },
        }
    )


@pytest.mark.parametrize("sent", SENDERS)
def test_a_letter_of_sqs_keeps_its_first_id_whatever_its_sender_attached(sent: dict[str, str]) -> None:
    message = redriven(sent)
    assert message.first_message_id == "letter-1"
    assert (message.known_request_id, message.known_task_id, message.delivery_id) == (None, None, "message-2")
    assert len(message.attributes) <= 10


def test_a_letter_of_this_stack_is_moved_as_it_is() -> None:
    message = redriven({"reason": "OUTCOME_UNKNOWN", "first_message_id": "m-1", "request_id": "r-1", "task_id": "t-1"})
    assert (message.first_message_id, message.known_request_id, message.known_task_id) == ("m-1", "r-1", "t-1")
