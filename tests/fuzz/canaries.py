"""Canaries: texts in the place of lyrics and secrets that must not appear in anything that a function writes."""

import base64
import json
from collections.abc import Iterable
from typing import cast

from song_intake.contract.strict_json import JsonValue

CANARY = "qzxv kettle qzxv"
_TRACE = "qzxv"

# What is passed on or named on purpose: ids, and what makes an envelope an envelope.
_NOT_SECRET = frozenset(
    (
        "request_id",
        "task_id",
        "clip_id",
        "Type",
        "TopicArn",
        "MessageId",
        "messageId",
        "id",
        "eventID",
        "detail-type",
        "source",
        "eventSource",
        "eventSourceARN",
        "task_type",
        "mv",
        "seed",
        "code",
        "status",
        "state",
        "audio_url",
        "wav_url",
        "image_url",
        "video_url",
    )
)
# Members of envelopes that hold JSON as a text.
_NESTED = frozenset(("Message", "body"))


def assert_no_canary(*outputs: object) -> None:
    """No output has a part of the canary in its text."""
    for output in outputs:
        assert _TRACE not in str(output).lower(), f"a canary in {output!r}"


def with_canaries(text: str) -> str | None:
    """The JSON text with a canary in each of its secret texts; None if it is not JSON, or has canaries already.

    Every second object also gets a member that a canary names: a request with such a member is never valid.
    """
    if _TRACE in text.lower():
        return None
    try:
        document = _planted(json.loads(text))
        if isinstance(document, dict) and len(text) % 2:
            document[CANARY] = 0
        return json.dumps(document, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None


def _planted(value: JsonValue, name: str = "") -> JsonValue:
    match value:
        case dict():
            return {member: _planted(inside, member) for member, inside in value.items()}
        case list():
            return [_planted(inside, name) for inside in value]
        case str() if name in _NESTED:
            return with_canaries(value) or value
        case str() if name == "data":
            return _planted_base64(value)
        case str() if name not in _NOT_SECRET:
            return value + CANARY
        case _:
            return value


def _planted_base64(value: str) -> str:
    try:
        text = base64.b64decode(value, validate=True).decode()
    except ValueError:
        return value
    planted = with_canaries(text)
    return value if planted is None else base64.b64encode(planted.encode(errors="surrogatepass")).decode()


def leaves_of(value: object) -> Iterable[object]:
    """Every text and number in a structure of lists and dictionaries, names included."""
    if isinstance(value, dict):
        for name, inside in cast("dict[object, object]", value).items():
            yield name
            yield from leaves_of(inside)
    elif isinstance(value, list | tuple | set | frozenset):
        for inside in cast("Iterable[object]", value):
            yield from leaves_of(inside)
    else:
        yield value
