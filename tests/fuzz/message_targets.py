"""Targets that read what a caller sent: a body, its envelopes, a request."""

import base64
import json

from jsonschema import Draft202012Validator

from song_intake.contract import envelopes, schema, strict_json
from song_intake.contract.errors import MAX_SUMMARY_CHARACTERS, InvalidRequest
from song_intake.contract.request_id import as_request_id
from song_intake.contract.song_request import SongRequest
from song_intake.contract.strict_json import JsonValue
from tests.fuzz.canaries import CANARY, assert_no_canary, with_canaries
from tests.fuzz.drawing import Drawing, text_of

_PYTHON = Draft202012Validator(schema.SCHEMA)
_OWN_FIELDS = ("request_id", "metadata", "task_token", "not_after")
# A validator in Python needs time for each value, and says the same of a thousand values as of a few.
_MOST_COMPARED_BYTES = 4_096


def message(data: bytes) -> None:
    """A body is a request or one InvalidRequest, and neither shows a text of the caller."""
    body = text_of(data)
    _parse(body)
    if (planted := with_canaries(body)) is not None:
        assert_no_canary(_parse(planted))


def _parse(body: str) -> str:
    """All that may be reported about the body."""
    try:
        request = SongRequest.parse(body, "message-1")
    except InvalidRequest as invalid:
        _check_error(invalid)
        return f"{invalid!r} {invalid} {invalid.errors}"
    assert as_request_id(request.request_id)
    sent = json.loads(request.create_body)
    assert sent["task_type"] == "create_music"
    assert not any(name in sent for name in _OWN_FIELDS)
    again = SongRequest.parse(request.create_body.decode(), request.request_id)
    assert (again.create_body, again.fingerprint) == (request.create_body, request.fingerprint)
    return repr(request)


def _check_error(invalid: InvalidRequest, most_errors: int = 10_000) -> None:
    assert 0 < len(invalid.errors) <= most_errors
    _check_text(str(invalid))
    assert invalid.request_id is None or as_request_id(invalid.request_id)


def _check_text(text: str) -> None:
    """Whether the text fits an attribute of a message."""
    assert 0 < len(text) <= MAX_SUMMARY_CHARACTERS
    assert text.isascii()
    assert text.isprintable()


def request(data: bytes) -> None:
    """The validators agree about a request near its limits, and the errors name what is wrong without quoting it."""
    document = _strict(_request(Drawing(data)))
    errors = schema.errors_in(document)
    assert _PYTHON.is_valid(document) == (errors == [])
    assert_no_canary(errors)


_REPEATED = ("a", "5", " ", "\t", "\x00", "\x1f", "\x7f", "\xa0", "\u200b", "\ufeff", "\N{MUSICAL NOTE}", "https://a/")
_LENGTHS = (0, 1, 2, 19, 20, 21, 64, 65, 80, 81, 128, 129, 256, 257, 1024, 1025, 2048, 2049)
_MOMENTS = ("2026-02-28T18:00:00Z", "2026-02-30T18:00:00.5+02:00", "2099-12-31t23:59:59z\n", 4102444799.5, 4102444800)
_NUMBERS = (0, 1, -0.0, 0.2, 0.19999999999999998, 1.0000000000000002, -1e-300, 1e300, 10**300, 0.5)


def _request(drawing: Drawing) -> JsonValue:
    document: dict[str, JsonValue] = {"sound": "la"} if drawing.flag() else {}
    names = [*schema.FIELDS, CANARY, drawing.text()]
    for _ in range(drawing.below(5)):
        document[drawing.pick(names)] = _near_limits(drawing)
    return drawing.value() if drawing.below(16) == 15 else document


def _near_limits(drawing: Drawing) -> JsonValue:
    match drawing.below(6):
        case 0:
            return drawing.pick(_NUMBERS)
        case 1:
            return {_text(drawing)[:70]: _text(drawing) for _ in range(drawing.below(12))}
        case 2:
            return drawing.value()
        case 3:
            return drawing.pick(
                ("FUZZ-2.0 Pro", "fuzz-2.0", "create_music", "https://[", "https:///", True, None, *_MOMENTS)
            )
        case _:
            return _text(drawing)


def _text(drawing: Drawing) -> str:
    before, after = (drawing.text() if drawing.flag() else "" for _ in range(2))
    return before + drawing.pick(_REPEATED) * drawing.pick(_LENGTHS) + after


def _strict(value: JsonValue) -> JsonValue:
    """What strict JSON has: the validators are asked about nothing else."""
    text = json.dumps(value).replace("\\ud800", "").replace("Infinity", "1e300").replace("NaN", "0")
    try:
        return strict_json.parse(text)
    except strict_json.NotStrictJson:
        return None


def envelope(data: bytes) -> None:
    """A request in up to three envelopes comes out as it was put in; whatever else there is, is one error or none."""
    drawing = Drawing(data)
    if drawing.flag():
        _unwrap(text_of(drawing.rest()))
        return
    content: JsonValue = {"sound": "la", "title": drawing.text().encode(errors="replace").decode()}
    document = content
    for number in range(depth := drawing.below(6)):
        document = _wrapped(document, f"id-{number}", drawing)
    inside = _unwrap(json.dumps(document))
    if depth > envelopes.MAX_ENVELOPES:
        assert inside is None
    else:
        assert inside is not None
        # The id in the innermost envelope.
        assert (inside.document, inside.publisher_id) == (content, "id-0" if depth else None)


def _unwrap(body: str) -> envelopes.Unwrapped | None:
    try:
        inside = envelopes.unwrap(body)
    except InvalidRequest as invalid:
        _check_error(invalid, most_errors=1)
        return None
    assert inside.size <= envelopes.MAX_MESSAGE_BYTES
    return inside


def _wrapped(document: JsonValue, publisher_id: str, drawing: Drawing) -> JsonValue:
    text = json.dumps(document, ensure_ascii=drawing.flag())
    match drawing.below(4):
        case 0:
            return {"Type": "Notification", "TopicArn": "arn", "MessageId": publisher_id, "Message": text}
        case 1:
            return {"id": publisher_id, "detail-type": "Song Wanted", "source": "shop", "detail": document}
        case 2:
            return {"messageId": publisher_id, "eventSource": "aws:sqs", "body": text}
        case _:
            data = base64.b64encode(text.encode()).decode()
            return {"eventID": publisher_id, "eventSource": "aws:kinesis", "data": data}


def validators(data: bytes) -> None:
    """The validators agree about whatever strict JSON a body has."""
    if len(data) > _MOST_COMPARED_BYTES:
        return
    try:
        document = strict_json.parse(text_of(data))
    except strict_json.NotStrictJson as broken:
        _check_text(str(broken))
        return
    depth, values = _size_of(document)
    assert depth <= strict_json.MAX_DEPTH
    assert values <= strict_json.MAX_VALUES
    assert json.loads(strict_json.canonical(document)) == document
    assert _PYTHON.is_valid(document) == (schema.errors_in(document) == [])


def _size_of(value: JsonValue) -> tuple[int, int]:
    """The levels of lists and objects, and the number of values in them."""
    match value:
        case dict():
            inside = [_size_of(member) for member in value.values()]
        case list():
            inside = [_size_of(member) for member in value]
        case _:
            return 0, 1
    return 1 + max((depth for depth, _ in inside), default=0), sum(values for _, values in inside)
