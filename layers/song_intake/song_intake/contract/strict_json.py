"""JSON exactly as RFC 8259 and I-JSON (RFC 7493) define it, without Python's extensions.

Python's own parser keeps the last of two equal keys, accepts NaN, Infinity and half a surrogate pair, turns 1e999 into
infinity, and fails on deep nesting at a depth that depends on its stack. With each of these, two readers of one text
could see different requests, or a request could fail later, when its song may already be paid for.
"""

import json
import math
import re
from collections import Counter
from enum import StrEnum
from typing import Final, NoReturn, TypeAlias

from song_intake.contract.errors import is_showable

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
JsonPath: TypeAlias = tuple[str | int, ...]

# Our choice: a request is two levels deep, and an envelope adds a few more.
MAX_DEPTH: Final = 32

# Our choice: a request has at most 24 values, and an envelope some dozens more. The time and the memory of all that
# follows grow with the number of values: a body of 64 KiB could have 30,000.
MAX_VALUES: Final = 1_000


class JsonRule(StrEnum):
    """The rules of strict JSON. Each value is the code under which a broken rule is reported."""

    NOT_EMPTY = "notEmpty"
    NO_BYTE_ORDER_MARK = "noByteOrderMark"
    MAX_DEPTH = "maxDepth"
    MAX_VALUES = "maxValues"
    SYNTAX = "syntax"
    UNIQUE_KEYS = "uniqueKeys"
    FINITE_NUMBERS = "finiteNumbers"
    WHOLE_CHARACTERS = "wholeCharacters"


class NotStrictJson(ValueError):
    """The text is not strict JSON. `rule`: the first rule that it breaks. The message never quotes the text."""

    def __init__(self, rule: JsonRule, message: str, path: JsonPath = ()) -> None:
        super().__init__(message)
        self.rule = rule
        self.path = path
        """The location of the error: keys and indexes from the root; empty if no path is known."""


def parse(text: str) -> JsonValue:
    """The parsed value. Raises NotStrictJson, and no other exception, whatever the text."""
    if not text or text.isspace():
        raise NotStrictJson(JsonRule.NOT_EMPTY, "must not be empty")
    if text.startswith("\ufeff"):
        raise NotStrictJson(JsonRule.NO_BYTE_ORDER_MARK, "must not start with a byte order mark")
    _refuse_large_structure(text)
    try:
        value: JsonValue = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise NotStrictJson(JsonRule.SYNTAX, f"must be JSON: the error is at {where}") from None
    _refuse_lone_surrogates(value)
    return value


def canonical(value: JsonValue) -> bytes:
    """The canonical text of a value from `parse`: sorted keys, no white space, UTF-8."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


# The next bracket or comma, or the end of the text, after strings (the last may be unfinished) and other characters. It
# matches from every position, and its quantifiers are possessive (`++`, `*+`), so the scan is linear in the length of
# any text.
_NEXT_OF_STRUCTURE = re.compile(r'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+"?)*+([\[\]{},]|\Z)', re.DOTALL)


def _refuse_large_structure(text: str) -> None:
    """Counts levels and values before any recursion, so that no limit depends on the interpreter or its stack.

    An empty list or object counts as two values. What follows the first value is not counted: it is a syntax error.
    """
    depth = values = 0
    for found in _NEXT_OF_STRUCTURE.finditer(text):
        match found[1]:
            case "[" | "{":
                depth += 1
                values += 1
            case ",":
                values += 1
            case _:
                depth -= 1
        if depth <= 0:
            return
        if depth > MAX_DEPTH:
            raise NotStrictJson(JsonRule.MAX_DEPTH, f"must be at most {MAX_DEPTH} levels deep")
        if values > MAX_VALUES:
            raise NotStrictJson(JsonRule.MAX_VALUES, f"must have at most {MAX_VALUES:,} values")


def _refuse_lone_surrogates(value: JsonValue) -> None:
    try:
        canonical(value)
    except UnicodeEncodeError:
        raise NotStrictJson(
            JsonRule.WHOLE_CHARACTERS,
            "must not contain half of a surrogate pair, which UTF-8 cannot encode",
            _path_to_lone_surrogate(value) or (),
        ) from None


def _path_to_lone_surrogate(value: JsonValue) -> JsonPath | None:
    match value:
        case str():
            return () if _has_lone_surrogate(value) else None
        case dict():
            if any(map(_has_lone_surrogate, value)):
                return ()
            children: list[tuple[str | int, JsonValue]] = list(value.items())
        case list():
            children = list(enumerate(value))
        case _:
            return None
    for step, child in children:
        rest = _path_to_lone_surrogate(child)
        if rest is not None:
            return (step, *rest)
    return None


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def _has_lone_surrogate(text: str) -> bool:
    return _LONE_SURROGATE.search(text) is not None


def _unique_keys(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) < len(pairs):
        ((key, _),) = Counter(key for key, _ in pairs).most_common(1)
        which = f"'{key}'" if is_showable(key) else "(one that cannot be shown)"
        raise NotStrictJson(JsonRule.UNIQUE_KEYS, f"must not have the key {which} twice in one object")
    return members


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        _refuse_number()
    return number


def _bounded_integer(text: str) -> int:
    # Limited to the range of a double, as I-JSON advises. int() of thousands of digits would also be slow, or raise.
    _finite_float(text)
    return int(text)


def _refuse_number(_constant: str = "") -> NoReturn:
    raise NotStrictJson(JsonRule.FINITE_NUMBERS, "must not contain NaN, Infinity or a number beyond a double's range")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_keys,
    parse_constant=_refuse_number,
    parse_float=_finite_float,
    parse_int=_bounded_integer,
)
