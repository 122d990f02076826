"""The published contract, compiled once, and the errors of a request that breaks it.

song_request.schema.json is the only source of the rules. The validator's own messages quote the value, which may be
a caller's lyrics, so they are not used: each text is made from the keyword that failed and its value in the schema.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, cast

import jsonschema_rs

from song_intake.contract.errors import MAX_ERRORS_NAMED, FieldError, is_showable, json_path
from song_intake.contract.strict_json import JsonValue

SCHEMA: Final[dict[str, JsonValue]] = json.loads(
    Path(__file__).with_name("song_request.schema.json").read_text(encoding="utf-8")
)
FIELDS: Final = cast("Mapping[str, Mapping[str, JsonValue]]", SCHEMA["properties"])

# jsonschema-rs has its own regex engine: `$` matches at the end of the text only, not before a final line break.
_VALIDATOR: Final = jsonschema_rs.Draft202012Validator(SCHEMA)

_TYPE_NAMES: Final = {
    "string": "a string",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
}

# The text for each keyword of the schema. A keyword without one would raise KeyError, so a test breaks each of them.
_EXPECTED: Final = {
    "type": "{subject} {limit}",
    "const": "{subject} {limit}",
    "pattern": "{subject} {limit}",
    "enum": "{subject} one of {limit}",
    "minimum": "{subject} at least {limit}",
    "maximum": "{subject} at most {limit}",
    "minLength": "{subject} {limit} or more characters long",
    "maxLength": "{subject} at most {limit} characters long",
    "maxProperties": "must have at most {limit} keys",
    "anyOf": "must have at least one of {limit}",
}


def errors_in(request: JsonValue) -> list[FieldError]:
    """Every rule that the request breaks, sorted by path; empty if the request is valid."""
    found = [error for breach in _VALIDATOR.iter_errors(request) for error in _field_errors(breach)]
    # Two keys that cannot be shown give equal errors: one of them is enough.
    return sorted(dict.fromkeys(found), key=lambda error: error.path)


def _field_errors(breach: jsonschema_rs.ValidationError) -> Iterator[FieldError]:
    kind = breach.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        yield from _unknown_fields(kind.unexpected)
        return
    rule = str(breach.schema_path[-1])
    yield FieldError(json_path(breach.instance_path), rule, _expectation(breach.schema_path))


def _unknown_fields(names: list[str]) -> Iterator[FieldError]:
    for position, name in enumerate(sorted(names)):
        message = "is not a field of a song request"
        if not is_showable(name):
            message += " (its name cannot be shown)"
        elif position < MAX_ERRORS_NAMED:
            # Finding a close match is expensive, and a body can have thousands of fields: only shown errors get one.
            message += _suggestion(name)
        yield FieldError(json_path([name]), "additionalProperties", message)


def _suggestion(name: str) -> str:
    nearest = difflib.get_close_matches(name.lower(), FIELDS, n=1)
    return f", did you mean '{nearest[0]}'?" if nearest else ""


def _expectation(schema_path: list[str | int]) -> str:
    *path, last = schema_path
    rule, rules = str(last), _at(path)
    subject = "must have keys that are" if "propertyNames" in path else "must be"
    return _EXPECTED[rule].format(subject=subject, limit=_limit_text(rule, rules))


def _limit_text(rule: str, rules: Mapping[str, JsonValue]) -> str:
    match rule:
        case "type":
            return _TYPE_NAMES[str(rules[rule])]
        case "const" | "pattern":
            return str(rules["x-expected"])
        case "enum":
            return _quoted(rules[rule])
        case "anyOf":
            return _quoted(_alternatives(rules[rule]))
        case _:
            return str(rules[rule])


def _at(schema_path: list[str | int]) -> Mapping[str, JsonValue]:
    node: Mapping[str, JsonValue] = SCHEMA
    for step in schema_path:
        node = cast("Mapping[str, JsonValue]", node[str(step)])
    return node


def _alternatives(any_of: JsonValue) -> list[JsonValue]:
    return [name for one in cast("list[dict[str, list[JsonValue]]]", any_of) for name in one["required"]]


def _quoted(values: JsonValue) -> str:
    return ", ".join(f"'{value}'" for value in cast("list[str]", values))
