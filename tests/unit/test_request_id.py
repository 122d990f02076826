"""The rule of a request id stands in the schema, and once more for functions that do not load the schema."""

import re
from typing import cast

import pytest

from song_intake.contract import request_id, schema
from song_intake.contract.request_id import as_request_id


def test_it_is_the_rule_of_the_schema() -> None:
    rule = schema.FIELDS["request_id"]
    characters = cast("dict[str, str]", rule["not"])["pattern"].replace("[^", "[")
    assert request_id._REQUEST_ID.pattern == f"{characters}{{{rule['minLength']},{rule['maxLength']}}}"
    assert request_id._REQUEST_ID.flags == re.compile("").flags


@pytest.mark.parametrize("value", ["a", "order-4711:song_1.2", "a" * 128])
def test_an_id_is_accepted(value: str) -> None:
    assert as_request_id(value) == value


@pytest.mark.parametrize("value", ["", "a" * 129, "a b", "a\n", "#pace", "%3A", "é", None, 7, ["a"]])
def test_any_other_value_is_none(value: object) -> None:
    assert as_request_id(value) is None
