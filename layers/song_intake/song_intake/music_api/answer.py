"""One HTTP response of the music API, and how its parts are read.

Generous in reading: a byte that is not UTF-8, a byte order mark, NaN, a key given twice and members of other names make
no difference, since only the vendor could correct them. Strict in believing: a response is the vendor's own only in the
vendor's form. A proxy or a gateway in front of the vendor answers in another form, and knows nothing of a request.
"""

import json
import math
import re
import time
from dataclasses import field
from email.utils import parsedate_to_datetime

from song_intake.domain.frozen import frozen

# Task ids were only ever seen as UUIDs. Any printable text without spaces is accepted: losing one loses a paid song.
_TASK_ID = re.compile(r"[\x21-\x7e]{1,256}")
_LARGEST_TASK_ID = 10**256 - 1
_NO_TASK = (None, "")

_VENDOR_CODES = frozenset(
    (
        "validation_error",
        "unauthorized",
        "insufficient_credits",
        "forbidden",
        "not_found",
        "endpoint_retired",
        "rate_limited",
        "internal_error",
        "upstream_error",
        "timeout",
        "failed",
        "not_ready",
    )
)
"""The error codes that the vendor publishes (UPSTREAM, "Create" and "Poll")."""
_OTHER_CODE = "other"

FORM_MEMBERS = frozenset(("type", "error", "message", "code", "task_id", "status", "data"))
"""A JSON object with at least one of these is in the vendor's form (UPSTREAM, "Whose word is it")."""

_STATUS = re.compile(r"[0-9]{3}")
_STATUSES = range(200, 600)

# Python refuses to read an integer of more than 4,300 digits. No member that is used here has so many.
_MOST_DIGITS = 1_000

# Every value but the first of its object or array follows a comma, and takes up to 230 bytes of memory: a megabyte of
# small objects would take 67 MiB, ten times that in a batch of ten. The lyrics of ten clips have some thousand commas.
_MOST_COMMAS = 25_000

# What an error is about stands in its first sentences. Searching a text of a megabyte would take too long.
_LONGEST_MESSAGE = 2_000

LONGEST_RETRY_AFTER_SECONDS = 86_400.0
_LONGEST_DATE = 100
_RETRY_AFTER_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


@frozen
class Answer:
    """A complete response: status, body and the one header that matters."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str | None = None


def object_in(body: bytes) -> dict[str, object]:
    """The JSON object of a response; empty if the body is anything else, or has more values than any answer."""
    if body.count(b",") > _MOST_COMMAS:
        return {}
    try:
        value = _JSON.decode(body.decode(json.detect_encoding(body), errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def is_in_form(members: dict[str, object]) -> bool:
    """Whether a response with these members is in the vendor's form."""
    return not FORM_MEMBERS.isdisjoint(members)


def status_in(members: dict[str, object], http_status: int) -> int:
    """The status that the vendor means: the `code` of the body counts before an HTTP status of 2xx."""
    code = members.get("code")
    if isinstance(code, str) and _STATUS.fullmatch(code):
        code = int(code)
    if 200 <= http_status <= 299 and isinstance(code, int | float) and code in _STATUSES:
        return int(code)
    return http_status


def task_id_in(members: dict[str, object]) -> str | None:
    """The task that a response names: at the top, in `data`, or in the first entry of `data`."""
    data = members.get("data")
    first = data[0] if isinstance(data, list) and data else None
    places = [place for place in (members, data, first) if isinstance(place, dict)]
    return next((task_id for place in places if (task_id := as_task_id(place.get("task_id")))), None)


def names_a_task(members: dict[str, object]) -> bool:
    """Whether there is a `task_id` at any depth, readable or not.

    Then a task may exist, whatever else the response says (UPSTREAM, "Whose word is it": no task id anywhere).
    """
    places: list[object] = [members]
    while places:
        place = places.pop()
        if isinstance(place, dict):
            if place.get("task_id") not in _NO_TASK:
                return True
            places += place.values()
        elif isinstance(place, list):
            places += place
    return False


def as_task_id(value: object) -> str | None:
    """The value, if it can be a task id. An integer is one too."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_TASK_ID:
        value = str(value)
    return value if isinstance(value, str) and _TASK_ID.fullmatch(value) else None


def vendor_code_in(members: dict[str, object]) -> str | None:
    """The vendor's own error code; `other` for one that is not published, since it may quote the request."""
    code = members.get("type")
    if code is None:
        return None
    known = code.lower() if isinstance(code, str) else ""
    return known if known in _VENDOR_CODES else _OTHER_CODE


def messages_in(members: dict[str, object]) -> list[str]:
    """The error texts, under whichever keys this generation of the API uses. They may quote the request."""
    texts = [members.get(key) for key in ("error", "message", "detail")]
    return [text[:_LONGEST_MESSAGE] for text in texts if isinstance(text, str)]


def retry_after_seconds(header: str | None) -> float | None:
    """Seconds from either form of Retry-After (RFC 9110, 10.2.3), capped; None if there is no usable value."""
    if header is None:
        return None
    try:
        if _RETRY_AFTER_SECONDS.fullmatch(header.strip()):
            seconds = float(header)
        else:
            seconds = parsedate_to_datetime(header[:_LONGEST_DATE]).timestamp() - time.time()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
    if math.isnan(seconds) or seconds < 0:
        return None
    return min(seconds, LONGEST_RETRY_AFTER_SECONDS)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Of a key that is given twice, the last value that is not null: a task id must not be lost to a null."""
    members = dict(pairs)
    if len(members) < len(pairs):
        members |= {name: value for name, value in pairs if value is not None}
    return members


_JSON = json.JSONDecoder(parse_int=_integer, object_pairs_hook=_members, strict=False)
