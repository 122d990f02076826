"""One SQS message. What a redriven dead letter of ours carries is trusted; what a caller happens to send is not."""

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


def test_a_record_is_read_as_lambda_hands_it_over() -> None:
    message = Message.of(record({"tenant": "blue"}, receives="7"))
    assert (message.message_id, message.receipt_handle, message.body) == ("message-9", "receipt-9", "the body")
    assert (message.receive_count, message.sent_at) == (7, 1_700_000_000.25)
    assert message.attributes == {"tenant": {"dataType": "String", "stringValue": "blue"}}


def test_a_message_that_comes_for_the_first_time_is_known_by_nothing() -> None:
    message = Message.of(record({}))
    assert not message.is_redriven
    assert (message.known_request_id, message.known_task_id) == (None, None)
    assert message.first_message_id == "message-9"


def test_our_own_dead_letter_is_known_again_when_it_is_redriven() -> None:
    message = Message.of(record(OUR_LETTER))
    assert (message.known_request_id, message.known_task_id) == ("request-1", "task-1")
    assert message.first_message_id == "message-1"
    assert message.is_redriven


@pytest.mark.parametrize("reason", Reason)
def test_a_letter_of_every_reason_is_known_again(reason: Reason) -> None:
    assert Message.of(record(OUR_LETTER | {"reason": reason.value})).known_request_id == "request-1"


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({"request_id": "request-1", "task_id": "task-1"}, id="the ids alone"),
        pytest.param({**OUR_LETTER, "reason": "birthday"}, id="a reason that is none of ours"),
        pytest.param({**OUR_LETTER, "reason": "outcome_unknown"}, id="a reason in lower case"),
        pytest.param({n: v for n, v in OUR_LETTER.items() if n != "reason"}, id="without a reason"),
        pytest.param({n: v for n, v in OUR_LETTER.items() if n != "first_message_id"}, id="without the first id"),
    ],
)
def test_a_callers_own_attributes_of_these_names_mean_nothing(attributes: dict[str, str]) -> None:
    message = Message.of(record(attributes))
    assert (message.known_request_id, message.known_task_id) == (None, None)
    assert message.first_message_id == "message-9"


def test_a_binary_attribute_of_such_a_name_is_passed_over() -> None:
    binary = record(OUR_LETTER)
    binary["messageAttributes"]["reason"] = {"dataType": "Binary"}
    assert Message.of(binary).known_task_id is None


def test_a_message_shows_neither_its_body_nor_its_receipt() -> None:
    shown = repr(Message.of(record({"note": "private"})))
    assert "the body" not in shown
    assert "receipt-9" not in shown
    assert "private" not in shown
