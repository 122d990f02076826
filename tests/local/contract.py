"""Holds what the stack wrote and sent to its published schemas, by two validators.

The published schema of events permits fields and reasons that it does not name, since a later version may add some.
What this version publishes is held to a closed copy of it.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import jsonschema_rs
from boto3.dynamodb.types import TypeDeserializer

PROJECT: Final = Path(__file__).parents[2]
_PACKAGE: Final = PROJECT / "layers/song_intake/song_intake"
SCHEMAS: Final = {
    "song_request": _PACKAGE / "contract/song_request.schema.json",
    "song_event": _PACKAGE / "outgoing/song_event.schema.json",
    "dead_letter_attributes": PROJECT / "events/schemas/dead_letter_attributes.schema.json",
    "request_row": PROJECT / "events/schemas/request_row.schema.json",
}


def errors_in(schema: str, value: object) -> list[str]:
    """What is wrong with the value. Raises AssertionError if the two validators disagree."""
    first, second = _validators(schema)
    errors = [error.message for error in first.iter_errors(value)]
    assert second.is_valid(value) == (not errors), (value, errors)
    return errors


def errors_in_rows(items: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is wrong with these items of the ledger, which are in DynamoDB's JSON."""
    decode = TypeDeserializer().deserialize
    rows = [{name: _plain(decode(value)) for name, value in item.items()} for item in items]
    return [f"{row['request_id']}: {error}" for row in rows for error in errors_in("request_row", row)]


@cache
def _validators(schema: str) -> tuple[Any, Any]:
    text = closed_event_schema() if schema == "song_event" else published(schema)
    return jsonschema_rs.validator_for(text), jsonschema.Draft202012Validator(text)


def published(schema: str) -> dict[str, Any]:
    """The schema as its readers have it."""
    text: dict[str, Any] = json.loads(SCHEMAS[schema].read_text(encoding="utf-8"))
    return text


def fields_of_events() -> dict[str, tuple[set[str], set[str], set[str]]]:
    """Of each status of an event: the fields that it always has, those that it may have, and its reasons."""
    schema = published("song_event")
    rules = {rule["if"]["properties"]["status"]["const"]: rule["then"] for rule in schema["allOf"]}
    return {
        status: (
            {*schema["required"], *then["required"]},
            then["properties"].keys() - {"reason"},
            set(then["properties"].get("reason", {}).get("examples", ())),
        )
        for status, then in rules.items()
    }


def closed_event_schema() -> dict[str, Any]:
    """The schema of events without other fields than it names, and for each type only its own fields and reasons."""
    schema = published("song_event")
    for list_of_objects in ("clips", "recordings"):
        schema["properties"][list_of_objects]["items"]["additionalProperties"] = False
    fields = fields_of_events()
    for rule in schema["allOf"]:
        always, sometimes, reasons = fields[rule["if"]["properties"]["status"]["const"]]
        properties: dict[str, Any] = dict.fromkeys(always | sometimes, True)
        if reasons:
            properties["reason"] = {"enum": sorted(reasons)}
        rule["then"] = {"required": sorted(always), "properties": properties, "additionalProperties": False}
    return schema | {"additionalProperties": False}


def _plain(value: Any) -> Any:
    """The value as JSON has it: no Decimal, no set."""
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list() | set():
            return [_plain(one) for one in value]
        case str() | bool() | None:
            return value
        case _:
            return int(value) if value == int(value) else float(value)
