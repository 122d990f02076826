"""Holds what the stack wrote and sent to its published schemas, by two validators."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

import jsonschema
import jsonschema_rs
from boto3.dynamodb.types import TypeDeserializer

from tests.local.cloud.cloud import PROJECT

_PACKAGE = PROJECT / "layers/song_intake/song_intake"
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
    text = json.loads(SCHEMAS[schema].read_text(encoding="utf-8"))
    return jsonschema_rs.validator_for(text), jsonschema.Draft202012Validator(text)


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
