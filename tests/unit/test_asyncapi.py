"""The published contract: an AsyncAPI document over the schemas of requests, dead letters, rows and events."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
import yaml

from song_client import _PUBLISHED
from song_intake.contract.sqs_message import TRACEPARENT
from song_intake.domain.status import Status
from song_intake.outgoing.attributes import OWN_ATTRIBUTES
from song_intake.outgoing.events import EventType
from tests.local.contract import PROJECT, SCHEMAS, errors_in

DOCUMENT = PROJECT / "events/schemas/asyncapi.yaml"
CONTRACT: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
SPECIFICATION = PROJECT / "tests/node/node_modules/@asyncapi/specs/schemas/3.0.0.json"


def references(node: object) -> Iterator[str]:
    match node:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for value in node.values():
                yield from references(value)
        case list():
            for value in node:
                yield from references(value)


def test_it_is_valid_by_the_schema_of_asyncapi() -> None:
    if not SPECIFICATION.exists():
        pytest.skip("npm is missing, which would have installed the packages of tests/node")
    specification = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
    assert list(jsonschema.Draft7Validator(specification).iter_errors(CONTRACT)) == []


def test_every_reference_leads_somewhere() -> None:
    for reference in references(CONTRACT):
        if not reference.startswith("#/"):
            assert DOCUMENT.parent.joinpath(reference).resolve() in SCHEMAS.values(), reference
            continue
        node = CONTRACT
        for name in reference[2:].split("/"):
            node = node[name]


def test_its_addresses_are_outputs_of_the_stack(outputs: set[str]) -> None:
    assert {channel["address"] for channel in CONTRACT["channels"].values()} <= outputs


def test_it_has_a_message_for_every_type_of_event() -> None:
    messages = CONTRACT["components"]["messages"]
    names = [messages[key]["name"] for key in CONTRACT["channels"]["songEvents"]["messages"]]
    assert names == [event_type.value for event_type in EventType]


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_valid_and_described(name: str) -> None:
    schema = json.loads(SCHEMAS[name].read_text(encoding="utf-8"))
    jsonschema_rs.meta.validate(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].startswith("urn:song-intake:")
    described = [rule["description"] for rule in schema["properties"].values() if "const" not in rule]
    assert all(description.endswith(".") for description in described)


def test_the_schema_of_a_letter_has_the_attributes_of_the_stack() -> None:
    schema = json.loads(SCHEMAS["dead_letter_attributes"].read_text(encoding="utf-8"))
    assert set(schema["properties"]) == {*OWN_ATTRIBUTES, TRACEPARENT}


def test_the_schema_of_a_row_has_every_status_and_what_the_client_reads() -> None:
    schema = json.loads(SCHEMAS["request_row"].read_text(encoding="utf-8"))
    assert schema["properties"]["status"]["enum"] == [status.value for status in Status]
    assert {name.removeprefix("#") for name in _PUBLISHED} <= set(schema["properties"])


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"status": "SUBMITTED", "expires_at": 1}, "task_id"),
        ({"status": "REJECTED"}, "reason"),
        ({"status": "SUCCEEDED", "task_id": "t", "expires_at": 1}, "clips"),
        ({"status": "IN_DOUBT", "reason": "OUTCOME_UNKNOWN", "expires_at": 1}, "not"),
        ({"status": "DONE"}, "DONE"),
    ],
)
def test_a_row_of_another_form_is_refused(row: dict[str, object], rule: str) -> None:
    (error,) = errors_in("request_row", {"request_id": "order-1", "updated_at": "2026-01-01T00:00:00.000Z", **row})
    assert rule in error


@pytest.fixture(scope="module")
def outputs() -> set[str]:
    template = (PROJECT / "template.yaml").read_text(encoding="utf-8")
    return {line.strip(" :\n") for line in template[template.index("\nOutputs:") :].splitlines() if line[:2] == "  "}
