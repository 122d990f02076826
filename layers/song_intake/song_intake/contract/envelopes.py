"""The envelopes that AWS services put around a request on its way to the queue, and how they are removed.

| sent through | recognised by | the request is in | as |
|---|---|---|---|
| SNS, without raw delivery | `TopicArn` or `Message` | `Message` | text |
| an EventBridge rule | `detail-type` or `detail` | `detail` | an object |
| a Pipe from SQS | `eventSource` or `eventSourceARN` | `body` | text |
| a Pipe from Kinesis | the same | `data` | base64 of text |

No field of a song request has one of these names, so one of them identifies an envelope. A missing part is then one
error of the envelope, and not a dozen unknown fields. Envelopes nest: SNS to SQS to a Pipe makes two.
"""

import base64
from dataclasses import field
from typing import Final

from song_intake.contract import strict_json
from song_intake.contract.errors import FieldError, InvalidRequest, json_path
from song_intake.contract.strict_json import JsonPath, JsonValue
from song_intake.domain.frozen import frozen

# Our choices: one envelope more than the longest path above, and lyrics of any usual length in a request.
MAX_ENVELOPES: Final = 3
MAX_MESSAGE_BYTES: Final = 256 * 1024
MAX_REQUEST_BYTES: Final = 64 * 1024


@frozen
class Unwrapped:
    """The content of a message without its envelopes.

    publisher_id: the id in the innermost envelope. SNS, EventBridge and Pipes deliver at least once, and each delivery
    is another SQS message; this id is the same in all of them.
    """

    document: JsonValue = field(repr=False)
    size: int
    """Bytes of UTF-8, as sent; for an EventBridge detail, which arrives parsed, the bytes of its compact JSON."""
    publisher_id: str | None = None


@frozen
class _Content:
    """The content of one envelope: text that is not parsed yet, or an object."""

    member: str
    value: str | dict[str, JsonValue] = field(repr=False)
    publisher_id: JsonValue = field(repr=False)


def unwrap(body: str) -> Unwrapped:
    """Parse a message and remove up to three envelopes. The content may have any form.

    Raises InvalidRequest with one error if the message is too large, is not strict JSON, or is a broken envelope.
    """
    if _utf8_size(body) > MAX_MESSAGE_BYTES:
        raise _error((), "maxBytes", f"must be at most {MAX_MESSAGE_BYTES:,} bytes, envelopes included")
    path: JsonPath = ()
    inside = Unwrapped(_parse(body, path), _utf8_size(body))
    for _ in range(MAX_ENVELOPES):
        content = _open(inside.document, path)
        if content is None:
            return inside
        path = (*path, content.member)
        inside = _unwrapped(content, path)
    if _open(inside.document, path) is not None:
        raise _error(path, "maxEnvelopes", f"must be at most {MAX_ENVELOPES} envelopes deep")
    return inside


def _open(document: JsonValue, path: JsonPath) -> _Content | None:
    if not isinstance(document, dict):
        return None
    names = document.keys()
    if names & {"TopicArn", "Message"}:
        return _open_sns(document, path)
    if names & {"detail-type", "detail"}:
        return _open_eventbridge(document, path)
    if names & {"eventSource", "eventSourceARN"}:
        return _open_pipe(document, path)
    return None


def _open_sns(document: dict[str, JsonValue], path: JsonPath) -> _Content:
    wrapper = "a message wrapped by SNS"
    if document.get("Type") != "Notification":
        # An unconfirmed subscription puts its SubscriptionConfirmation on the queue.
        raise _broken((*path, "Type"), f"must be 'Notification' in {wrapper}: no other type carries a request")
    _text(document, "TopicArn", wrapper, path)
    return _Content("Message", _text(document, "Message", wrapper, path), document.get("MessageId"))


def _open_eventbridge(document: dict[str, JsonValue], path: JsonPath) -> _Content:
    wrapper = "an event of EventBridge"
    _text(document, "detail-type", wrapper, path)
    _text(document, "source", wrapper, path)
    detail = document.get("detail")
    if not isinstance(detail, dict):
        raise _broken((*path, "detail"), f"must be an object in {wrapper}")
    return _Content("detail", detail, document.get("id"))


def _open_pipe(document: dict[str, JsonValue], path: JsonPath) -> _Content:
    wrapper = "a record of EventBridge Pipes"
    match document.get("eventSource"):
        case "aws:sqs":
            return _Content("body", _text(document, "body", wrapper, path), document.get("messageId"))
        case "aws:kinesis":
            data = _text(document, "data", wrapper, path)
            return _Content("data", _decode(data, (*path, "data")), document.get("eventID"))
        case _:
            raise _broken((*path, "eventSource"), f"must be 'aws:sqs' or 'aws:kinesis' in {wrapper}")


def _decode(data: str, path: JsonPath) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except ValueError:
        # Records that the Kinesis Producer Library aggregated end here too.
        raise _broken(path, "must be base64 of UTF-8 text in a record of EventBridge Pipes") from None


def _unwrapped(content: _Content, path: JsonPath) -> Unwrapped:
    publisher_id = content.publisher_id if isinstance(content.publisher_id, str) else None
    if isinstance(content.value, str):
        return Unwrapped(_parse(content.value, path), _utf8_size(content.value), publisher_id)
    return Unwrapped(content.value, len(strict_json.canonical(content.value)), publisher_id)


def _parse(text: str, path: JsonPath) -> JsonValue:
    try:
        return strict_json.parse(text)
    except strict_json.NotStrictJson as error:
        raise _error((*path, *error.path), error.rule, str(error)) from None


def _text(document: dict[str, JsonValue], member: str, wrapper: str, path: JsonPath) -> str:
    value = document.get(member)
    if not isinstance(value, str):
        raise _broken((*path, member), f"must be a string in {wrapper}")
    return value


def _utf8_size(text: str) -> int:
    # UTF-8 cannot encode a lone surrogate. It counts as three bytes here, and the parser then rejects it.
    return len(text.encode(errors="surrogatepass"))


def _broken(path: JsonPath, message: str) -> InvalidRequest:
    return _error(path, "envelope", message)


def _error(path: JsonPath, rule: str, message: str) -> InvalidRequest:
    return InvalidRequest([FieldError(json_path(path), rule, message)])
