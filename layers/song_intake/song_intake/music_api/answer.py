"""One HTTP response of the music API, and how its parts are read."""

import json
import math
import re
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

# Task ids were only ever seen as UUIDs. Any printable text without spaces is accepted: losing one loses a paid song.
_TASK_ID = re.compile(r"[\x21-\x7e]{1,256}")
_VENDOR_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")

LONGEST_RETRY_AFTER_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete response: status, body and the one header that matters."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str | None = None


def object_in(body: bytes) -> dict[str, object]:
    """The JSON object of a response; empty if the body is anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def vendor_code_in(members: dict[str, object]) -> str | None:
    """The vendor's own error code, if it looks like one: text of any other form may quote the request."""
    code = members.get("type")
    return code if isinstance(code, str) and _VENDOR_CODE.fullmatch(code) else None


def message_in(members: dict[str, object]) -> str:
    """The error text, under whichever key this generation of the API uses."""
    return " ".join(text for key in ("error", "message", "detail") if isinstance(text := members.get(key), str))


def as_task_id(value: object) -> str | None:
    """The value, if it can be a task id."""
    return value if isinstance(value, str) and _TASK_ID.fullmatch(value) else None


def retry_after_seconds(header: str | None) -> float | None:
    """Seconds from either form of Retry-After (RFC 9110, 10.2.3), capped; None if there is no usable value."""
    if header is None:
        return None
    try:
        seconds = float(header) if header.strip().isdigit() else parsedate_to_datetime(header).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    if math.isnan(seconds) or seconds < 0:
        return None
    return min(seconds, LONGEST_RETRY_AFTER_SECONDS)
