"""The target of the attributes of a letter: what a redrive makes of them, and what a function believes afterwards."""

import time
from typing import Any, cast

from song_intake.contract.proof import PROOF, Proofs
from song_intake.contract.request_id import as_request_id
from song_intake.contract.sqs_message import Message, Origin
from song_intake.domain.decision import DeadLetter
from song_intake.domain.reason import Reason
from song_intake.outgoing.dead_letters import DeadLetters
from song_intake.work.redrive import LetterRoute, Redrive
from tests.fuzz.drawing import Drawing
from tests.fuzz.services import Recorded, RecordingQueue, signing_keys
from tests.signing import SECOND_KEY, SIGNING_KEY, proofs_of

_NAMES = ("reason", "first_message_id", "request_id", "task_id", "sent_anew_for", "proof", "detail", "http_status")
_VALUES = ("REFUSED", "OUTCOME_UNKNOWN", "birthday", "message-0", "order-1", "#intake", "task-9", "", "0" * 64)
_TYPES = ("String", "Number", "Binary", "String.own")
_PROOFS = (proofs_of(SIGNING_KEY), proofs_of(SECOND_KEY), proofs_of("a-foreign-key-0123456789-0123456789"))
_SOURCE = "DeadLetterQueueSourceArn"
_AGES = (0, 60, 7_200, 200_000, 2_000_000)


def proofs() -> Proofs:
    return Proofs(signing_keys())


def redrive_of(queue: RecordingQueue) -> Redrive:
    return Redrive(
        sqs=cast("Any", queue),
        proofs=proofs(),
        routes={"requests": LetterRoute("letters", "requests"), "checks": LetterRoute("check-letters", "checks")},
    )


def sent_letters() -> list[dict[str, Any]]:
    """A letter of the stack, one without attributes that SQS moved, one of a caller, and one of an unknown key."""
    recorded = Recorded()
    DeadLetters(cast("Any", RecordingQueue(recorded)), "letters", _PROOFS[0]).send(
        Message("message-1", "r", '{"sound": "la"}', 3, 0.0, {}), DeadLetter(Reason.REFUSED, "refused"), "order-1"
    )
    stack = recorded.messages[0]["MessageAttributes"]
    caller = _attributes({"reason": "REFUSED", "first_message_id": "mail-7"})
    return [
        _received("letter-1", stack),
        _received("letter-2", {}, is_moved=True),
        _received("letter-3", caller, is_moved=True),
        _received("letter-4", caller | _attributes({PROOF: "0" * 64}), is_moved=True),
    ]


def _attributes(texts: dict[str, str]) -> dict[str, Any]:
    return {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()}


def _received(
    message_id: str, attributes: dict[str, Any], *, is_moved: bool = False, body: str = '{"sound": "la"}', age: int = 0
) -> dict[str, Any]:
    system = {"ApproximateReceiveCount": "1", "SentTimestamp": str(int((time.time() - age) * 1000))}
    moved = {_SOURCE: "arn:aws:sqs:eu-west-1:000000000000:requests"} if is_moved else {}
    return {
        "MessageId": message_id,
        "ReceiptHandle": f"handle of {message_id}",
        "Body": body,
        "Attributes": system | moved,
        "MessageAttributes": attributes,
    }


def letter(data: bytes) -> None:
    """Ids are believed only with a proof by one of the two keys, on the body and the origin that it was made for."""
    drawing = Drawing(data)
    body = "{" + drawing.text() + "}"
    attributes, signed = _drawn(drawing, body)
    received = _received("letter-1", attributes, is_moved=drawing.flag(), body=body, age=drawing.pick(_AGES))
    believed = proofs().read(_delivered(body, attributes)).origin
    assert believed == signed, "an origin is believed exactly if it was signed"
    recorded = Recorded()
    queue = RecordingQueue(recorded, [received])
    response = redrive_of(queue).handle({"queue": "requests"}, lambda: 60.0)
    assert "error" not in response
    assert len(recorded.messages) == len(queue.deleted) == response["selected"] - cast("int", response["not_accepted"])  # type: ignore[operator]
    for message in recorded.messages:
        _check_moved(message, received, signed)


def _check_moved(message: dict[str, Any], received: dict[str, Any], signed: Origin | None) -> None:
    assert message["MessageBody"] == received["Body"]
    origin = proofs().read(_delivered(message["MessageBody"], message["MessageAttributes"])).origin
    assert origin is not None, "a letter that was moved has a proof"
    assert as_request_id(origin.first_message_id)
    assert origin.sent_anew_for is None
    if signed is not None:
        assert (origin.first_message_id, origin.request_id) == (signed.first_message_id, signed.request_id)
        assert origin.task_id == signed.task_id
    elif _SOURCE in received["Attributes"]:
        assert origin == Origin(Reason.UNFORESEEN, "letter-1"), "a sender's ids were signed"


def _drawn(drawing: Drawing, body: str) -> tuple[dict[str, Any], Origin | None]:
    """Attributes, and the origin for which they have a proof by one of the two keys."""
    texts: dict[str, str] = {}
    for _ in range(drawing.below(8)):
        name = drawing.pick(_NAMES) if drawing.below(4) else drawing.text() or "caller"
        texts[name] = (drawing.pick(_VALUES) if drawing.flag() else drawing.text()) or "-"
    by = drawing.below(4)
    origin = Origin.claimed_by(_record_attributes(_attributes(texts)))
    if by == 3 or origin is None:
        return _odd_types(drawing, _attributes(texts)), None
    over = body if drawing.below(4) else body + " "
    texts[PROOF] = _PROOFS[by].attributes(origin, over)[PROOF] or ""
    is_signed = by < 2 and over == body
    return _attributes(texts), origin if is_signed else None


def _odd_types(drawing: Drawing, attributes: dict[str, Any]) -> dict[str, Any]:
    for attribute in attributes.values():
        attribute["DataType"] = drawing.pick(_TYPES)
        if attribute["DataType"] == "Binary":
            del attribute["StringValue"]
    return attributes


def _delivered(body: str, attributes: dict[str, Any]) -> Message:
    """The message as Lambda delivers it."""
    return Message.of(
        {
            "messageId": "letter-1",
            "receiptHandle": "r",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "0"},
            "messageAttributes": _record_attributes(attributes),
        }
    )


def _record_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    names = {"DataType": "dataType", "StringValue": "stringValue"}
    return {name: {names[member]: text for member, text in attribute.items()} for name, attribute in attributes.items()}
