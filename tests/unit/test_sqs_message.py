"""One SQS message. Its attributes are believed with a proof of the stack; a caller's own are not, whatever they say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song_intake.contract.request_id import as_request_id
from song_intake.contract.song_request import SongRequest
from song_intake.contract.sqs_message import Message, Origin, SqsRecord
from song_intake.domain.reason import Reason
from tests.signing import PROOFS, SECOND_KEY, SIGNING_KEY, in_a_record, proofs_of, signed

BODY = "the body"
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
        "body": BODY,
        "attributes": {"ApproximateReceiveCount": receives, "SentTimestamp": "1700000000250"},
        "messageAttributes": in_a_record(attributes),
    }


def read(attributes: dict[str, str]) -> Message:
    """The message with its origin, if the attributes are proved."""
    return PROOFS.read(Message.of(record(attributes)))


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
    message = read(signed(BODY, OUR_LETTER))
    assert (message.known_request_id, message.known_task_id) == ("request-1", "task-1")
    assert message.first_message_id == "message-1"
    assert message.is_redriven


@pytest.mark.parametrize("reason", Reason)
def test_a_dead_letter_with_any_reason_is_recognized(reason: Reason) -> None:
    assert read(signed(BODY, OUR_LETTER | {"reason": reason.value})).known_request_id == "request-1"


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({"request_id": "request-1", "task_id": "task-1"}, id="only the ids"),
        pytest.param(OUR_LETTER, id="a letter of ours without a proof"),
        pytest.param({**OUR_LETTER, "proof": "0" * 64}, id="a proof that is none"),
        pytest.param({**OUR_LETTER, "proof": "é" * 64}, id="a proof of other characters"),
        pytest.param(signed("another body", OUR_LETTER), id="the proof of another body"),
        pytest.param(signed(BODY, OUR_LETTER, proofs_of(SECOND_KEY)), id="a proof by another key"),
        pytest.param({**signed(BODY, OUR_LETTER), "task_id": "task-2"}, id="the proof of another task"),
        pytest.param({**signed(BODY, OUR_LETTER), "request_id": "request-2"}, id="the proof of another request"),
        pytest.param({**signed(BODY, OUR_LETTER), "first_message_id": "m-2"}, id="the proof of another message"),
        pytest.param({**signed(BODY, OUR_LETTER), "reason": "REFUSED"}, id="the proof of another reason"),
        pytest.param({**signed(BODY, OUR_LETTER), "sent_anew_for": "m-2"}, id="the proof of a letter"),
        pytest.param({**OUR_LETTER, "reason": "birthday"}, id="an unknown reason"),
        pytest.param({**OUR_LETTER, "reason": "outcome_unknown"}, id="a reason in lower case"),
        pytest.param({n: v for n, v in OUR_LETTER.items() if n != "reason"}, id="without a reason"),
        pytest.param({n: v for n, v in OUR_LETTER.items() if n != "first_message_id"}, id="without the first id"),
        pytest.param({**OUR_LETTER, "first_message_id": "#intake"}, id="a first id that is no id"),
    ],
)
def test_a_callers_own_attributes_with_these_names_are_ignored(attributes: dict[str, str]) -> None:
    message = read(attributes)
    assert (message.known_request_id, message.known_task_id) == (None, None)
    assert message.first_message_id == "message-9"


@pytest.mark.parametrize("value", ["#pace", "#intake", "", "a b", "a\n", "é", "a" * 129])
def test_an_id_that_cannot_be_a_request_id_is_passed_over(value: str) -> None:
    message = read(signed(BODY, OUR_LETTER | {"request_id": value, "sent_anew_for": value}))
    assert (message.known_request_id, message.delivery_id) == (None, "message-9")
    assert message.first_message_id == "message-1"


NAMES = ("first_message_id", "request_id", "task_id", "sent_anew_for")
ANY = st.sampled_from(["", "message-1", "request-1", "task-1", 'message-1","request-1', "null"])
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["reason", "first_message_id", "request_id", "sent_anew_for", "proof", "tenant"]),
    st.sampled_from([*Reason, "#pace", "#intake", "request-1", "a\n", "birthday"]) | st.text(max_size=5),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(attributes=ATTRIBUTES)
def test_no_attribute_of_a_stranger_leads_to_a_key_that_is_no_request_id(attributes: dict[str, str]) -> None:
    message = read(attributes)
    request = SongRequest.parse('{"sound": "tango"}', message.first_message_id, message.known_request_id)
    assert as_request_id(request.request_id)
    assert as_request_id(message.delivery_id)


def test_a_proof_by_the_previous_key_is_valid() -> None:
    by_the_first = record(signed(BODY, OUR_LETTER, proofs_of(SECOND_KEY)))
    message = proofs_of(SIGNING_KEY, SECOND_KEY).read(Message.of(by_the_first))
    assert message.known_request_id == "request-1"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    names=st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), texts=st.tuples(st.text("ab-", max_size=3), ANY)
)
def test_no_text_can_be_moved_from_one_attribute_into_another(names: tuple[str, str], texts: tuple[str, str]) -> None:
    proved = signed(BODY, OUR_LETTER)
    changed = proved | dict(zip(names, texts, strict=True))
    assert read(changed).is_redriven == (
        Origin.claimed_by(in_a_record(changed)) == Origin.claimed_by(in_a_record(proved))
    )


def test_a_binary_attribute_with_such_a_name_is_ignored() -> None:
    binary = record(signed(BODY, OUR_LETTER))
    binary["messageAttributes"]["reason"] = {"dataType": "Binary"}
    assert PROOFS.read(Message.of(binary)).known_task_id is None


def test_the_repr_shows_neither_body_nor_receipt_handle() -> None:
    shown = repr(Message.of(record({"note": "private"})))
    assert "the body" not in shown
    assert "receipt-9" not in shown
    assert "private" not in shown
