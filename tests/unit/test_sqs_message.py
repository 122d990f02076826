"""One SQS message. The attributes of a redriven dead letter of ours are trusted; a caller's own are not."""

import pytest

from song_intake.contract.sqs_message import Message, SqsRecord
from song_intake.domain.reason import Reason

OUR_LETTER = {
    "reason": "OUTCOME_UNKNOWN",
    "first_message_id": "message-1",
    "request_id": "request-1",
    "task_id": "task-1",
}


def record(attributes: dict[str, str], receives: str = "1") -> SqsRecord:
    return {
        "messageId": "message-9",
        "receiptHandle": "receipt-9",
        "body": "the body",
        "attributes": {"ApproximateReceiveCount": receives, "SentTimestamp": "1700000000250"},
        "messageAttributes": {name: {"dataType": "String", "stringValue": value} for name, value in attributes.items()},
    }


def test_a_lambda_record_becomes_a_message() -> None:
    message = Message.of(record({"tenant": "blue"}, receives="7"))
    assert (message.message_id, message.receipt_handle, message.body) == ("message-9", "receipt-9", "the body")
    assert (message.receive_count, message.sent_at) == (7, 1_700_000_000.25)
    assert message.attributes == {"tenant": {"dataType": "String", "stringValue": "blue"}}


def test_a_new_message_has_no_known_ids() -> None:
    message = Message.of(record({}))
    assert not message.is_redriven
    assert (message.known_request_id, message.known_task_id) == (None, None)
    assert message.first_message_id == "message-9"


def test_our_own_dead_letter_is_recognized_when_it_is_redriven() -> None:
    message = Message.of(record(OUR_LETTER))
    assert (message.known_request_id, message.known_task_id) == ("request-1", "task-1")
    assert message.first_message_id == "message-1"
    assert message.is_redriven


@pytest.mark.parametrize("reason", Reason)
def test_a_dead_letter_with_any_reason_is_recognized(reason: Reason) -> None:
    assert Message.of(record(OUR_LETTER | {"reason": reason.value})).known_request_id == "request-1"


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({"request_id": "request-1", "task_id": "task-1"}, id="only the ids"),
        pytest.param({**OUR_LETTER, "reason": "birthday"}, id="an unknown reason"),
        pytest.param({**OUR_LETTER, "reason": "outcome_unknown"}, id="a reason in lower case"),
        pytest.param({n: v for n, v in OUR_LETTER.items() if n != "reason"}, id="without a reason"),
        pytest.param({n: v for n, v in OUR_LETTER.items() if n != "first_message_id"}, id="without the first id"),
    ],
)
def test_a_callers_own_attributes_with_these_names_are_ignored(attributes: dict[str, str]) -> None:
    message = Message.of(record(attributes))
    assert (message.known_request_id, message.known_task_id) == (None, None)
    assert message.first_message_id == "message-9"


def test_a_binary_attribute_with_such_a_name_is_ignored() -> None:
    binary = record(OUR_LETTER)
    binary["messageAttributes"]["reason"] = {"dataType": "Binary"}
    assert Message.of(binary).known_task_id is None


def test_the_repr_shows_neither_body_nor_receipt_handle() -> None:
    shown = repr(Message.of(record({"note": "private"})))
    assert "the body" not in shown
    assert "receipt-9" not in shown
    assert "private" not in shown
