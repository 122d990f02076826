"""Strict JSON: what RFC 8259 allows is read, and what only Python's parser would accept is refused."""

import sys
import threading

import pytest

from song_intake.contract import strict_json
from song_intake.contract.strict_json import MAX_DEPTH, MAX_VALUES, JsonPath, JsonRule, JsonValue, NotStrictJson


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, -0, true, false, null]}', {"a": [1, 2.5, 0, True, False, None]}),
        ('"\\ud83c\\udfb5"', "\N{MUSICAL NOTE}"),
        ('"\N{MUSICAL NOTE}"', "\N{MUSICAL NOTE}"),
        ("1.7976931348623157e308", sys.float_info.max),
        ("9" * 308, int("9" * 308)),
        (' \r\n\t"spaced" ', "spaced"),
        ('"NaN"', "NaN"),
        ('"[[[[" ', "[[[["),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, None),
        ("[" + ",".join(['"["'] * 100) + "]", ["["] * 100),
        ("[" + ",".join(["[]"] * 100) + "]", [[]] * 100),
        ("[" + ",".join("7" * MAX_VALUES) + "]", [7] * MAX_VALUES),
        ('["' + "[{,," * 1000 + '"]', ["[{,," * 1000]),
    ],
)
def test_plain_json_is_read(text: str, value: JsonValue) -> None:
    parsed = strict_json.parse(text)
    if value is not None:
        assert parsed == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", JsonRule.NOT_EMPTY),
        (" \n\t", JsonRule.NOT_EMPTY),
        ('\ufeff{"a": 1}', JsonRule.NO_BYTE_ORDER_MARK),
        ("hello", JsonRule.SYNTAX),
        ("{'a': 1}", JsonRule.SYNTAX),
        ('{"a": 1,}', JsonRule.SYNTAX),
        ('{"a": 1} {"b": 2}', JsonRule.SYNTAX),
        ('{"a": "line\nbreak"}', JsonRule.SYNTAX),
        ('{"a": 01}', JsonRule.SYNTAX),
        ('{"a": "unfinished', JsonRule.SYNTAX),
        ("// no comments\n{}", JsonRule.SYNTAX),
        ('{"a": 1, "a": 1}', JsonRule.UNIQUE_KEYS),
        ('{"a": 1, "\\u0061": 2}', JsonRule.UNIQUE_KEYS),
        ('{"a": [{"b": {"c": 1, "c": 2}}]}', JsonRule.UNIQUE_KEYS),
        ('{"a": NaN}', JsonRule.FINITE_NUMBERS),
        ('{"a": Infinity}', JsonRule.FINITE_NUMBERS),
        ('{"a": -Infinity}', JsonRule.FINITE_NUMBERS),
        ('{"a": 1e999}', JsonRule.FINITE_NUMBERS),
        ('{"a": -1e999}', JsonRule.FINITE_NUMBERS),
        ('{"a": ' + "9" * 400 + "}", JsonRule.FINITE_NUMBERS),
        ('{"a": ' + "9" * 100_000 + "}", JsonRule.FINITE_NUMBERS),
        ('"\\ud83c"', JsonRule.WHOLE_CHARACTERS),
        ('"\\udfb5\\ud83c"', JsonRule.WHOLE_CHARACTERS),
        ('{"a": "\ud83c"}', JsonRule.WHOLE_CHARACTERS),
        ('{"\\ud83c": 1}', JsonRule.WHOLE_CHARACTERS),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), JsonRule.MAX_DEPTH),
        ('{"a":' * 100_000, JsonRule.MAX_DEPTH),
        ("[" + ",".join("7" * (MAX_VALUES + 1)) + "]", JsonRule.MAX_VALUES),
        ('{"a": [' + ",".join(["{}"] * MAX_VALUES) + "]}", JsonRule.MAX_VALUES),
        ("{" + ",".join(f'"{n}":0' for n in range(MAX_VALUES + 1)) + "}", JsonRule.MAX_VALUES),
        ("a line of text, " * 2000, JsonRule.SYNTAX),
        ("[]" + "," * 2000, JsonRule.SYNTAX),
    ],
)
def test_each_rule_is_enforced(text: str, rule: JsonRule) -> None:
    with pytest.raises(NotStrictJson) as refused:
        strict_json.parse(text)
    assert refused.value.rule == rule


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"metadata": {"list": ["fine", "\\ud800"]}}', ("metadata", "list", 1)),
        ('{"metadata": {"\\ud800": 1}}', ("metadata",)),
        ('{"metadata": {"list": ["fine"]}, "title": "\\ud800"}', ("title",)),
        ('{"seed": 5, "title": "\\ud800"}', ("title",)),
        ('"\\ud800"', ()),
    ],
)
def test_the_path_of_half_a_surrogate_pair_is_reported(text: str, path: JsonPath) -> None:
    with pytest.raises(NotStrictJson) as refused:
        strict_json.parse(text)
    assert refused.value.path == path


def test_a_syntax_error_has_its_position_and_quotes_nothing() -> None:
    with pytest.raises(NotStrictJson, match=r"line 2, column 12") as refused:
        strict_json.parse('{\n "lyrics": canary}')
    assert "canary" not in str(refused.value)
    assert refused.value.__suppress_context__, "the parser's own error holds the whole text"


def test_of_several_keys_the_duplicate_one_is_named() -> None:
    with pytest.raises(NotStrictJson, match="the key 'lyrics' twice"):
        strict_json.parse('{"title": 1, "lyrics": 2, "sound": 3, "lyrics": 4}')


@pytest.mark.parametrize(("key", "shown"), [("lyrics", "'lyrics'"), ("a line of the song", "cannot be shown")])
def test_a_duplicate_key_is_named_only_if_it_resembles_a_field_name(key: str, shown: str) -> None:
    with pytest.raises(NotStrictJson) as refused:
        strict_json.parse(f'{{"{key}": 1, "{key}": 2}}')
    assert shown in str(refused.value)
    assert ("a line" in str(refused.value)) is False


def test_deep_nesting_is_refused_on_a_thread_with_a_small_stack_too() -> None:
    rules: list[JsonRule] = []

    def parse_deep() -> None:
        try:
            strict_json.parse('{"a":[' * 50_000)
        except NotStrictJson as refused:
            rules.append(refused.rule)

    small = threading.stack_size(64 * 1024)
    try:
        thread = threading.Thread(target=parse_deep)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(small)
    assert rules == [JsonRule.MAX_DEPTH]


@pytest.mark.parametrize("text", ['\\"' * 100_000, '"' * 199_999, "[]" * 100_000, '"' + "\\\\" * 100_000])
@pytest.mark.timeout(5)
def test_parsing_time_is_linear_in_the_length_of_the_text(text: str) -> None:
    with pytest.raises(NotStrictJson):
        strict_json.parse(text)


def test_the_canonical_text_sorts_keys_drops_white_space_and_keeps_letters() -> None:
    value: JsonValue = {"b": [1, {"z": None, "a": "ü"}], "a": 0.5}
    assert strict_json.canonical(value) == '{"a":0.5,"b":[1,{"a":"ü","z":null}]}'.encode()
