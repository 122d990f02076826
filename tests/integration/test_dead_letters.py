"""What is on a real dead-letter queue after a dead letter was sent."""

from collections.abc import Mapping

import pytest

from song_intake.contract.sqs_message import Message, MessageAttribute
from song_intake.domain.decision import DeadLetter, SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.outgoing.attributes import MOST_ATTRIBUTES
from song_intake.outgoing.dead_letters import DeadLetters
from tests.integration.bench import Bench, record_of
from tests.integration.bench_queue import Letter
from tests.signing import PROOFS, in_a_record, signed

REFUSED = DeadLetter(Reason.REFUSED, "the music API refused the request", 400, "validation_error")
PLAIN = DeadLetter(Reason.INVALID_REQUEST, "$.mv must be one of ...")


def message(body: str = "{}", attributes: Mapping[str, MessageAttribute] | None = None, receives: int = 2) -> Message:
    record = record_of(body, message_id="message-9", receives=receives)
    record["messageAttributes"] = dict(attributes or {})
    return PROOFS.read(Message.of(record))


def text(value: str, kind: str = "String") -> MessageAttribute:
    return {"dataType": kind, "stringValue": value}


def sent(bench: Bench, message: Message, letter: DeadLetter = PLAIN, request_id: str | None = None) -> Letter:
    DeadLetters(bench.sqs, bench.dead_letters.url, bench.proofs).send(message, letter, request_id)
    (found,) = bench.letters()
    return found


def test_a_dead_letter_has_its_reason_and_its_ids(bench: Bench) -> None:
    found = dict(sent(bench, message(), REFUSED, "request-1").attributes)
    proof = found.pop("proof")
    assert found == {
        "reason": "REFUSED",
        "detail": "the music API refused the request",
        "http_status": "400",
        "vendor_code": "validation_error",
        "receive_count": "2",
        "first_message_id": "message-9",
        "request_id": "request-1",
    }
    assert signed("{}", found)["proof"] == proof


def test_unknown_fields_are_left_out(bench: Bench) -> None:
    assert sent(bench, message()).attributes.keys() == {
        "reason",
        "detail",
        "receive_count",
        "first_message_id",
        "proof",
    }


def test_an_unrecorded_task_is_on_the_dead_letter(bench: Bench) -> None:
    letter = DeadLetter(Reason.TASK_NOT_RECORDED, "not recorded", task_id="task-1")
    assert sent(bench, message(), letter, "request-1").attributes["task_id"] == "task-1"


def our_letter(**attributes: str) -> dict[str, MessageAttribute]:
    return in_a_record(signed("{}", {"reason": "REFUSED", "first_message_id": "m-1", **attributes}))


def test_a_redriven_letter_keeps_its_first_message_id_and_gets_its_new_reason(bench: Bench) -> None:
    found = sent(bench, message(attributes=our_letter(detail="old", http_status="400")), PLAIN, "request-1")
    assert (found.attributes["first_message_id"], found.attributes["reason"]) == ("m-1", "INVALID_REQUEST")
    assert found.attributes["detail"] == PLAIN.detail
    assert "http_status" not in found.attributes, "the status of the earlier dead letter is dropped"


def test_a_redriven_letter_keeps_a_task_that_is_still_not_recorded(bench: Bench) -> None:
    assert sent(bench, message(attributes=our_letter(task_id="task-1"))).attributes["task_id"] == "task-1"


def test_a_redriven_letter_keeps_its_request_id_even_if_its_body_is_unreadable(bench: Bench) -> None:
    """Without it, the next redrive would be a new request, and its song may already exist."""
    redriven = message(attributes=our_letter(request_id="request-1"))
    assert sent(bench, redriven, PLAIN, request_id=None).attributes["request_id"] == "request-1"


def test_the_callers_own_attributes_are_kept(bench: Bench) -> None:
    theirs = {"tenant": text("blue"), "priority": text("7", "Number"), "kind": text("x", "String.custom")}
    found = sent(bench, message(attributes=theirs)).attributes
    assert {name: found[name] for name in theirs} == {"tenant": "blue", "priority": "7", "kind": "x"}


def test_our_attributes_replace_a_callers_with_the_same_name(bench: Bench) -> None:
    theirs = {"reason": text("birthday"), "task_id": text("theirs"), "vendor_code": text("theirs")}
    found = sent(bench, message(attributes=theirs)).attributes
    assert found["reason"] == "INVALID_REQUEST"
    assert not {"task_id", "vendor_code"} & found.keys()


def test_a_binary_attribute_is_left_out(bench: Bench) -> None:
    assert "blob" not in sent(bench, message(attributes={"blob": {"dataType": "Binary"}})).attributes


def test_at_most_ten_attributes_are_sent_and_ours_come_first(bench: Bench) -> None:
    theirs = {f"their-{number}": text("x") for number in range(MOST_ATTRIBUTES)}
    found = sent(bench, message(attributes=theirs), REFUSED, "request-1").attributes
    assert len(found) == MOST_ATTRIBUTES
    assert sum(name.startswith("their-") for name in found) == MOST_ATTRIBUTES - 8


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        ' {"a" :1,\t"a":\r\n2} ',
        '{"lyrics": "Grüße, 世界, 🎵 \\ud83c"}',
        "tab\tline\nreturn\r end",
        "<xml attribute='&amp;'>]]></xml>",
        "\ue000\ufffd" + chr(0x10FFFF),
        "x" * 1_000_000,
    ],
    ids=["not JSON", "spacing and a key twice", "beyond ASCII", "control", "markup", "edges of Unicode", "1 MB"],
)
def test_the_body_is_kept_unchanged(bench: Bench, body: str) -> None:
    assert sent(bench, message(body)).body == body


def test_a_missing_queue_is_reported_by_its_error_code_without_the_body(bench: Bench) -> None:
    bench.sqs.delete_queue(QueueUrl=bench.dead_letters.url)
    with pytest.raises(SideEffectFailed) as caught:
        DeadLetters(bench.sqs, bench.dead_letters.url, bench.proofs).send(message("canary"), PLAIN, None)
    assert str(caught.value) == "AWS.SimpleQueueService.NonExistentQueue"
