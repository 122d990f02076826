"""The published contract, compiled once, and the errors of a request that breaks it.

song_request.schema.json is the only source of the rules. The validator's own messages quote the value, which may be
a caller's lyrics, so they are not used: each text is made from the keyword that failed and its value in the schema, or
is in EXPLAINED.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, cast

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind as Kind

from song_intake.contract.errors import MAX_ERRORS_NAMED, FieldError, is_showable, json_path
from song_intake.contract.strict_json import JsonValue

SCHEMA: Final[dict[str, JsonValue]] = json.loads(
    Path(__file__).with_name("song_request.schema.json").read_text(encoding="utf-8")
)
FIELDS: Final = cast("Mapping[str, Mapping[str, JsonValue]]", SCHEMA["properties"])

_VALIDATOR: Final = jsonschema_rs.Draft202012Validator(SCHEMA)

_TYPE_NAMES: Final = {
    "string": "a string",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
}

# The text for each keyword of the schema. A keyword without one would raise KeyError, so a test breaks each of them.
_EXPECTED: Final = {
    "type": "must be {limit}",
    "enum": "must be one of {limit}",
    "minimum": "must be at least {limit}",
    "maximum": "must be at most {limit}",
    "minLength": "must be {limit} or more characters long",
    "maxLength": "must be at most {limit} characters long",
    "maxProperties": "must have at most {limit} keys",
    "anyOf": "must have at least one of {limit}",
}

_ONE_LINE: Final = "must not contain control characters, such as line breaks"
_LINES: Final = "must not contain control characters other than tabs and line breaks"
_NOT_BLANK: Final = "must be text that is not blank"

# The texts for rules whose keyword does not explain them, by field and keyword. A `not` names excluded characters.
EXPLAINED: Final[Mapping[tuple[str, str], str]] = {
    ("task_type", "const"): "must be 'create_music': the music API has retired every other task type",
    ("sound", "pattern"): _NOT_BLANK,
    ("sound", "not"): _LINES,
    ("lyrics", "pattern"): _NOT_BLANK,
    ("lyrics", "not"): _LINES,
    ("title", "not"): _ONE_LINE,
    ("seed", "not"): "must contain only digits",
    ("webhook_url", "pattern"): "must be an https:// URL with a host",
    ("webhook_url", "not"): "must contain only the characters that RFC 3986 allows in a URL",
    ("webhook_secret", "not"): _ONE_LINE,
    ("request_id", "not"): "must contain only the characters A-Z a-z 0-9 . _ : -",
    ("metadata", "not"): _LINES,
    ("metadata", "patternProperties"): "must have keys of 1 to 64 characters without control characters",
    ("task_token", "not"): _ONE_LINE,
    ("not_after", "anyOf"): (
        "must be a date and a time with an offset, such as 2026-07-01T18:00:00+02:00, or a number of seconds since "
        "1970, not of milliseconds; before the year 2100"
    ),
}

# The code under which an excluded character is reported: "not" alone explains nothing.
_CODES: Final = {"not": "characters"}

# One error with one text, whichever alternative the value comes nearest to.
NO_MOMENT: Final = FieldError("$.not_after", "moment", EXPLAINED["not_after", "anyOf"])


def errors_in(request: JsonValue) -> list[FieldError]:
    """Every rule that the request breaks, sorted by path; empty if the request is valid."""
    found = [error for breach in _VALIDATOR.iter_errors(request) for error in _field_errors(breach)]
    # Two keys that cannot be shown give equal errors: one of them is enough.
    return sorted(dict.fromkeys(found), key=lambda error: error.path)


def _field_errors(breach: jsonschema_rs.ValidationError) -> Iterator[FieldError]:
    match breach.kind:
        case Kind.AdditionalProperties(unexpected=names) if not breach.instance_path:
            yield from _unknown_fields(names)
        case Kind.AdditionalProperties() | Kind.FalseSchema():
            # A key of the metadata that fits no pattern, or has an excluded character: an error of the whole object.
            field = str(breach.schema_path[1])
            yield FieldError(json_path([field]), "patternProperties", EXPLAINED[field, "patternProperties"])
        case _:
            *path, last = map(str, breach.schema_path)
            if path[1:] == ["not_after"]:
                yield NO_MOMENT
            else:
                yield FieldError(json_path(breach.instance_path), _CODES.get(last, last), _expectation(path, last))


def _unknown_fields(names: list[str]) -> Iterator[FieldError]:
    for position, name in enumerate(sorted(names)):
        message = "is not a field of a song request"
        if not is_showable(name):
            message += " (its name cannot be shown)"
        elif position < MAX_ERRORS_NAMED:
            # Finding a close match is expensive, and a body can have a thousand fields: only shown errors get one.
            message += _suggestion(name)
        yield FieldError(json_path([name]), "additionalProperties", message)


def _suggestion(name: str) -> str:
    nearest = difflib.get_close_matches(name.lower(), FIELDS, n=1)
    return f", did you mean '{nearest[0]}'?" if nearest else ""


def _expectation(path: list[str], rule: str) -> str:
    explained = EXPLAINED.get((path[1], rule)) if path else None
    return explained or _EXPECTED[rule].format(limit=_limit_text(rule, _at(path)))


def _limit_text(rule: str, rules: Mapping[str, JsonValue]) -> str:
    match rule:
        case "type":
            return _TYPE_NAMES[str(rules[rule])]
        case "enum":
            return _quoted(rules[rule])
        case "anyOf":
            return _quoted(_alternatives(rules[rule]))
        case _:
            return str(rules[rule])


def _at(schema_path: list[str]) -> Mapping[str, JsonValue]:
    node: Mapping[str, JsonValue] = SCHEMA
    for step in schema_path:
        node = cast("Mapping[str, JsonValue]", node[step])
    return node


def _alternatives(any_of: JsonValue) -> list[JsonValue]:
    return [name for one in cast("list[dict[str, list[JsonValue]]]", any_of) for name in one["required"]]


def _quoted(values: JsonValue) -> str:
    return ", ".join(f"'{value}'" for value in cast("list[str]", values))
