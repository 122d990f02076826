"""Oddities of a webhook's body that do not change its meaning. Each one changes the raw bytes.

The signature covers the changed bytes, so it proves that the vendor is the sender.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final

LEVELS: Final = 40


class Oddity(StrEnum):
    NAN = "NaN"
    HALF_A_SURROGATE = "half a surrogate"
    KEY_TWICE = "a key twice"
    BYTE_ORDER_MARK = "a byte order mark"
    LATIN_1_BYTE = "a Latin-1 byte"
    DEEP_NESTING = "deep nesting"
    INTEGER_TASK_ID = "an integer as task_id"


def distort(body: bytes, oddity: Oddity) -> bytes:
    """The JSON object `body` with that oddity. INTEGER_TASK_ID needs a task_id of digits."""
    return _DISTORTIONS[oddity](body)


def _with_member(raw: bytes) -> Callable[[bytes], bytes]:
    """Puts the raw member before those of the object."""
    return lambda body: body.replace(b"{", b"{" + raw + b", ", 1)


def _with_integer_task_id(body: bytes) -> bytes:
    changed, count = re.subn(rb'"task_id": "([0-9]+)"', rb'"task_id": \1', body)
    if not count:
        raise ValueError("the body has no task_id of digits")
    return changed


_DISTORTIONS: Final[dict[Oddity, Callable[[bytes], bytes]]] = {
    Oddity.NAN: _with_member(b'"loudness": NaN'),
    Oddity.HALF_A_SURROGATE: _with_member(rb'"mood": "\ud83d"'),
    Oddity.KEY_TWICE: _with_member(b'"event": "song.odd"'),
    Oddity.BYTE_ORDER_MARK: lambda body: b"\xef\xbb\xbf" + body,
    Oddity.LATIN_1_BYTE: _with_member(b'"artist": "Andr\xe9"'),
    Oddity.DEEP_NESTING: _with_member(b'"meta": ' + b"[" * LEVELS + b"]" * LEVELS),
    Oddity.INTEGER_TASK_ID: _with_integer_task_id,
}
