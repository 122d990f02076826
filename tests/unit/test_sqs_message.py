"""One SQS message. The attributes of a redriven dead letter of ours are trusted; a caller's own are not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song_intake.contract.request_id import as_request_id
from song_intake.contract.song_request import SongRequest
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
        pytest.param({**OUR_LETTER, "first_message_id": "#intake"}, id="a first id that is no id"),
    ],
)
def test_a_callers_own_attributes_with_these_names_are_ignored(attributes: dict[str, str]) -> None:
    message = Message.of(record(attributes))
    assert (message.known_request_id, message.known_task_id) == (None, None)
    assert message.first_message_id == "message-9"


@pytest.mark.parametrize("value", ["#pace", "#intake", "", "a b", "a\n", "é", "a" * 129])
def test_an_id_that_cannot_be_a_request_id_is_passed_over(value: str) -> None:
    message = Message.of(record(OUR_LETTER | {"request_id": value, "sent_anew_for": value}))
    assert (message.known_request_id, message.delivery_id) == (None, "message-9")
    assert message.first_message_id == "message-1"


ATTRIBUTES = st.dictionaries(
    st.sampled_from(["reason", "first_message_id", "request_id", "sent_anew_for", "tenant"]),
    st.sampled_from([*Reason, "#pace", "#intake", "request-1", "a\n", "birthday"]) | st.text(max_size=5),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(attributes=ATTRIBUTES)
def test_no_attribute_of_a_stranger_leads_to_a_key_that_is_no_request_id(attributes: dict[str, str]) -> None:
    message = Message.of(record(attributes))
    request = SongRequest.parse('{"sound": "tango"}', message.first_message_id, message.known_request_id)
    assert as_request_id(request.request_id)
    assert as_request_id(message.delivery_id)


def test_a_binary_attribute_with_such_a_name_is_ignored() -> None:
    binary = record(OUR_LETTER)
    binary["messageAttributes"]["reason"] = {"dataType": "Binary"}
    assert Message.of(binary).known_task_id is None


def test_the_repr_shows_neither_body_nor_receipt_handle() -> None:
    shown = repr(Message.of(record({"note": "private"})))
    assert "the body" not in shown
    assert "receipt-9" not in shown
    assert "private" not in shown
