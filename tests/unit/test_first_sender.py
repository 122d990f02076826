"""Who sent a message first: it travels with what the stack sends, and counts with a proof only."""

from typing import Any, cast

import pytest

from song_intake.contract.sqs_message import Message, sender_in
from song_intake.domain.decision import DeadLetter, SendAnew
from song_intake.domain.reason import Reason
from song_intake.outgoing.dead_letters import DeadLetters
from song_intake.outgoing.requests import RequestQueue
from song_intake.work.received_letter import message_of
from tests.signing import PROOFS, signed

BODY = '{"sound": "tango"}'
SHOP, STACK = "AROASHOP", "AROASTACK"
ORIGIN = {"reason": "SENDER_BUDGET_SPENT", "first_message_id": "m-1"}


class Queue:
    """A queue that keeps what is sent to it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message(self, **message: Any) -> None:
        self.sent.append(message)


def message(attributes: dict[str, str], sender_id: str | None = f"{STACK}:submit_song") -> Message:
    """The message as submit_song reads it."""
    record: Any = {
        "messageId": "m-2",
        "receiptHandle": "none",
        "body": BODY,
        "attributes": {"ApproximateReceiveCount": "1"} | ({"SenderId": sender_id} if sender_id else {}),
        "messageAttributes": {name: {"dataType": "String", "stringValue": text} for name, text in attributes.items()},
    }
    return PROOFS.read(Message.of(record))


@pytest.mark.parametrize(
    ("sender_id", "sender"),
    [
        ("AROAEXAMPLE:session-1", "AROAEXAMPLE"),
        ("AIDAEXAMPLE", "AIDAEXAMPLE"),
        ("123456789012", "123456789012"),
        ("AROAEXAMPLE:a:b", "AROAEXAMPLE"),
        (":session", None),
        ("#budget", None),
        ("a" * 129, None),
        ("", None),
        (None, None),
    ],
)
def test_all_sessions_of_a_role_are_one_sender(sender_id: str | None, sender: str | None) -> None:
    assert sender_in(sender_id) == sender
    assert message({}, sender_id).sender == sender


def test_the_proved_first_sender_counts_and_not_who_sent_the_message_again() -> None:
    assert message(signed(BODY, ORIGIN | {"sender": SHOP})).sender == SHOP


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({"sender": SHOP}, id="a callers attribute"),
        pytest.param(ORIGIN | {"sender": SHOP}, id="no proof"),
        pytest.param(signed(BODY, ORIGIN) | {"sender": SHOP}, id="added to a proved message"),
        pytest.param(signed(BODY, ORIGIN | {"sender": "AROARADIO"}) | {"sender": SHOP}, id="changed"),
        pytest.param(signed("another body", ORIGIN | {"sender": SHOP}), id="the proof of another body"),
    ],
)
def test_without_a_proof_of_it_who_sent_this_message_counts(attributes: dict[str, str]) -> None:
    assert message(attributes).sender == STACK


def test_a_sender_that_was_removed_makes_the_proof_invalid() -> None:
    attributes = signed(BODY, ORIGIN | {"sender": SHOP})
    del attributes["sender"]
    assert message(attributes).origin is None


def test_a_message_that_an_earlier_release_signed_stays_valid() -> None:
    read = message(signed(BODY, ORIGIN))
    assert read.origin is not None
    assert read.sender == STACK


@pytest.mark.parametrize("attributes", [{}, signed(BODY, ORIGIN | {"sender": SHOP})], ids=["first", "sent anew before"])
def test_a_message_sent_anew_and_a_letter_keep_their_first_sender(attributes: dict[str, str]) -> None:
    first = f"{SHOP}:session" if not attributes else f"{STACK}:submit_song"
    received, queue = message(attributes, first), Queue()
    requests = RequestQueue(cast("Any", queue), "queue", PROOFS)
    requests.send_anew(received, SendAnew(900, Reason.SENDER_BUDGET_SPENT, "over"), None)
    DeadLetters(cast("Any", queue), "letters", PROOFS).send(received, DeadLetter(Reason.REFUSED, "no"), None)
    for sent in queue.sent:
        texts = {name: value["StringValue"] for name, value in sent["MessageAttributes"].items()}
        assert message(texts).sender == SHOP


def test_a_letter_that_sqs_moved_has_the_sender_that_sqs_names() -> None:
    received: Any = {
        "MessageId": "m-1",
        "ReceiptHandle": "none",
        "Body": BODY,
        "Attributes": {"SenderId": f"{SHOP}:session"},
    }
    assert message_of(received).sender == SHOP
