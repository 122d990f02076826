"""The schema of a request as callers read it: valid, described throughout, with the vendor's own limits."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import jsonschema_rs
import pytest

from song_intake.contract import schema as contract
from song_intake.contract.strict_json import JsonValue

PUBLISHED = Path(contract.__file__).with_name("song_request.schema.json")
VENDOR_FIELDS = {
    "task_type", "sound", "lyrics", "mv", "title", "seed", "make_instrumental",
    "lyrics_strength", "sound_strength", "weirdness", "webhook_url", "webhook_secret",
}  # fmt: skip
OUR_FIELDS = {"request_id", "metadata", "task_token", "not_after"}


def test_it_is_a_valid_schema_of_its_draft() -> None:
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].startswith("urn:")
    jsonschema_rs.meta.validate(schema)


def test_it_is_the_one_that_requests_are_checked_against() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == contract.SCHEMA


def test_it_has_the_vendors_fields_and_ours_and_no_others() -> None:
    assert set(contract.FIELDS) == VENDOR_FIELDS | OUR_FIELDS
    assert contract.SCHEMA["additionalProperties"] is False


@pytest.mark.parametrize("name", sorted(VENDOR_FIELDS | OUR_FIELDS))
def test_every_field_is_described_with_a_valid_example(name: str) -> None:
    field = contract.FIELDS[name]
    assert field["title"]
    assert str(field["description"]).endswith(".")
    examples = cast("list[JsonValue]", field["examples"])
    assert examples
    for example in examples:
        assert contract.errors_in({"sound": "salsa", name: example}) == []


# Rules that do not explain themselves in an error.
CRYPTIC = {"const", "pattern", "not", "patternProperties", "anyOf"}


def test_each_rule_that_does_not_explain_itself_has_a_text_and_no_other_rule_has() -> None:
    cryptic = {(name, rule) for name, field in contract.FIELDS.items() for rule in CRYPTIC & field.keys()}
    # The values of the metadata have rules of their own.
    assert set(contract.EXPLAINED) == cryptic | {("metadata", "not")}


# Letters, digits, a first `^`, classes of literal characters, counts, groups and alternatives. Libraries disagree about
# more: `.`, `\d`, `\s` and `\w` mean other characters in each, and `$` also matches before a final line break in some.
PORTABLE = re.compile(
    r"\^?(?:[A-Za-z0-9:/|-]|\((?!\?)|\)\??|\[\^?(?:[^\[\]\\]|\\[\[\]]|\\x[0-9a-f]{2})+\](?:\{[0-9]+,[0-9]+\})?)+\$?"
)


def test_every_pattern_means_the_same_in_every_regular_expression_engine() -> None:
    patterns = list(_patterns_in(contract.SCHEMA))
    assert len(patterns) >= 12
    assert [pattern for pattern in patterns if not PORTABLE.fullmatch(pattern)] == []
    # The keys of the metadata, and a moment: a second pattern excludes line breaks.
    ends = [pattern for pattern in patterns if pattern.endswith("$")]
    assert [pattern[:10] for pattern in ends] == [r"^[^\x00-\x", "^(19[7-9]["]


def _patterns_in(schema: Mapping[str, JsonValue]) -> Iterator[str]:
    for name, value in schema.items():
        match name, value:
            case "pattern", str(pattern):
                yield pattern
            case "patternProperties", dict(patterns):
                yield from patterns
                yield from _patterns_in(patterns)
            case _, dict(rules):
                yield from _patterns_in(rules)
            case "anyOf", list(alternatives):
                for one in alternatives:
                    yield from _patterns_in(cast("Mapping[str, JsonValue]", one))


@pytest.mark.parametrize("example", cast("list[JsonValue]", contract.SCHEMA["examples"]))
def test_the_examples_of_whole_requests_are_valid(example: JsonValue) -> None:
    assert contract.errors_in(example) == []


def test_the_models_are_exactly_those_that_the_vendor_publishes() -> None:
    assert contract.FIELDS["mv"]["enum"] == [
        "FUZZ-2.0 Pro", "FUZZ-2.0", "FUZZ-2.0 Raw", "FUZZ-1.1 Pro", "FUZZ-1.1",
        "FUZZ-1.0 Pro", "FUZZ-1.0", "FUZZ-0.8", "FUZZ-3-Demo", "Lyria 3 preview",
    ]  # fmt: skip
