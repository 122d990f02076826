"""JSON as RFC 8259 and I-JSON (RFC 7493) have it, and nothing that Python adds to them.

Python's own parser keeps the last of two equal keys, takes NaN and Infinity, turns 1e999 into infinity, lets half a
surrogate pair through, and gives up on deep nesting where its stack happens to end. Each of these would let two
readers of the same text see two different requests, or fail later, where a song may already be paid for.
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

# A request is two levels deep, and an envelope adds a few more.
MAX_DEPTH: Final = 32


class JsonRule(StrEnum):
    """The rules of strict JSON, by the code under which a breach is reported."""

    NOT_EMPTY = "notEmpty"
    NO_BYTE_ORDER_MARK = "noByteOrderMark"
    MAX_DEPTH = "maxDepth"
    SYNTAX = "syntax"
    UNIQUE_KEYS = "uniqueKeys"
    FINITE_NUMBERS = "finiteNumbers"
    WHOLE_CHARACTERS = "wholeCharacters"


class NotStrictJson(ValueError):
    """The first rule that the text breaks. The text itself is never quoted."""

    def __init__(self, rule: JsonRule, message: str, path: JsonPath = ()) -> None:
        super().__init__(message)
        self.rule = rule
        self.path = path
        """Where, as keys and indexes from the root; empty where only the parser could know."""


def parse(text: str) -> JsonValue:
    """The value that the text stands for.

    Raises NotStrictJson, and nothing else, whatever the text.
    """
    if not text or text.isspace():
        raise NotStrictJson(JsonRule.NOT_EMPTY, "must not be empty")
    if text.startswith("\ufeff"):
        raise NotStrictJson(JsonRule.NO_BYTE_ORDER_MARK, "must not start with a byte order mark")
    _refuse_deep_nesting(text)
    try:
        value: JsonValue = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise NotStrictJson(JsonRule.SYNTAX, f"must be JSON: the error is at {where}") from None
    _refuse_lone_surrogates(value)
    return value


def canonical(value: JsonValue) -> bytes:
    """The one text of a value: sorted keys, no white space, UTF-8."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


# A whole string (or an unfinished one, up to the end of the text), or one bracket. The possessive quantifiers (`++`,
# `*+`) and the optional closing quote keep the scan linear in the length of the text, whatever is in it.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{\]}]', re.DOTALL)


def _refuse_deep_nesting(text: str) -> None:
    """Counts brackets before anything recurses, so that the limit is the same on every interpreter and stack."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        match text[token.start()]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
        if depth > MAX_DEPTH:
            raise NotStrictJson(JsonRule.MAX_DEPTH, f"must be at most {MAX_DEPTH} levels deep")


def _refuse_lone_surrogates(value: JsonValue) -> None:
    try:
        canonical(value)
    except UnicodeEncodeError:
        raise NotStrictJson(
            JsonRule.WHOLE_CHARACTERS,
            "must not hold half of a surrogate pair: UTF-8 cannot carry it",
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


def _has_lone_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


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
    # Held to the range of a double, as I-JSON advises; int() of thousands of digits would also be slow, or refused.
    _finite_float(text)
    return int(text)


def _refuse_number(_constant: str = "") -> NoReturn:
    raise NotStrictJson(JsonRule.FINITE_NUMBERS, "must not hold NaN, Infinity or a number beyond the range of a double")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_keys,
    parse_constant=_refuse_number,
    parse_float=_finite_float,
    parse_int=_bounded_integer,
)
