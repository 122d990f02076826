"""What the schema of a request accepts, up to its limits, and what it refuses, by rule."""

import json
from collections.abc import Iterator, Mapping

import pytest

from song_intake.contract.schema import SCHEMA, errors_in
from song_intake.contract.song_request import InvalidRequest, SongRequest
from song_intake.contract.strict_json import JsonValue


@pytest.mark.parametrize(
    "fields",
    [
        {"lyrics": "la"},
        {"sound": "\tone\r\ntwo\n", "lyrics": "\n[Verse]\tla\u0085\u200d"},
        {"sound": "x", "title": ""},
        {"sound": "x", "title": "\u0085\u202e"},
        {"sound": "x", "title": "\N{MUSICAL NOTE}" * 80},
        {"sound": "x", "seed": "18446744073709551615"},
        {"sound": "x", "lyrics_strength": 0},
        {"sound": "x", "sound_strength": 0.2},
        {"sound": "x", "weirdness": 1},
        {"sound": "x", "mv": "Lyria 3 preview"},
        {"sound": "x", "make_instrumental": True, "lyrics": "la"},
        {"sound": "x", "webhook_url": "https://a/" + "b" * 1014},
        {"sound": "x", "webhook_url": "https://[2001:db8::1]:8443/a?b=c&d=%20#e"},
        {"sound": "x", "webhook_secret": "s" * 256},
        {"sound": "x", "request_id": "A-z.0:9_" * 16},
        {"sound": "x", "metadata": {f"k{number}": "ü" * 256 for number in range(10)}},
        {"sound": "x", "metadata": {"k" * 64: ""}},
        {"sound": "x", "metadata": {"\N{MUSICAL NOTE}" * 64: "\r\n\t"}},
        {"sound": "x", "metadata": {}},
        {"sound": "x", "task_token": "t" * 2048},
        {"sound": "x", "not_after": "2026-07-01T18:00:00Z"},
        {"sound": "x", "not_after": "2024-02-29t23:59:59.123456789-11:30"},
        {"sound": "x", "not_after": "1970-01-01T00:00:00+14:00"},
        {"sound": "x", "not_after": "2099-12-31T23:59:59z"},
        {"sound": "x", "not_after": 0},
        {"sound": "x", "not_after": 1782921600.25},
        {"sound": "x", "not_after": 4102444799.999},
    ],
)
def test_values_at_the_limits_are_accepted(fields: dict[str, JsonValue]) -> None:
    assert SongRequest.parse(json.dumps(fields), "message-1").create_body


NO_MOMENTS: list[JsonValue] = [
    "",
    "tomorrow",
    "2026-07-01",
    "2026-07-01T18:00:00",
    "2026-07-01 18:00:00Z",
    "2026-07-01T18:00Z",
    "2026-07-01T18:00:00 Z",
    "2026-07-01T18:00:00Z\n",
    "2026-07-01T18:00:00+2:00",
    "2026-07-01T18:00:00+0200",
    "2026-07-01T18:00:00.Z",
    "2026-07-01T18:00:00,5Z",
    "2026-07-01T18:00:00.1234567890Z",
    "2026-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-07-01T24:00:00Z",
    "2026-06-30T23:59:60Z",
    "9999-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "1782921600",
    "PT1H",
    "\N{ARABIC-INDIC DIGIT TWO}026-07-01T18:00:00Z",
    4102444800,
    1782921600000,
    10**300,
    -1,
    -0.5,
    True,
    False,
    None,
    [],
    {},
    [1782921600],
    {"seconds": 1782921600},
]

BREACHES: list[tuple[JsonValue, str, str]] = [
    ({"sound": ""}, "$.sound", "pattern"),
    ({"sound": " \n\t\u3000"}, "$.sound", "pattern"),
    ({"lyrics": "\r\n", "sound": "x"}, "$.lyrics", "pattern"),
    ({"lyrics": None, "sound": "x"}, "$.lyrics", "type"),
    ({"title": "only"}, "$", "anyOf"),
    ({"task_type": "extend_music", "sound": "x"}, "$.task_type", "const"),
    ({"mv": "fuzz-2.0", "sound": "x"}, "$.mv", "enum"),
    ({"mv": 2, "sound": "x"}, "$.mv", "enum"),
    ({"title": "x" * 81, "sound": "x"}, "$.title", "maxLength"),
    ({"seed": 5, "sound": "x"}, "$.seed", "type"),
    ({"seed": "", "sound": "x"}, "$.seed", "minLength"),
    ({"seed": "5\n", "sound": "x"}, "$.seed", "characters"),
    ({"seed": "\N{ARABIC-INDIC DIGIT FIVE}", "sound": "x"}, "$.seed", "characters"),
    ({"seed": "1" * 21, "sound": "x"}, "$.seed", "maxLength"),
    ({"make_instrumental": 1, "sound": "x"}, "$.make_instrumental", "type"),
    ({"weirdness": True, "sound": "x"}, "$.weirdness", "type"),
    ({"weirdness": "0.5", "sound": "x"}, "$.weirdness", "type"),
    ({"weirdness": 10**300, "sound": "x"}, "$.weirdness", "maximum"),
    ({"lyrics_strength": -0.01, "sound": "x"}, "$.lyrics_strength", "minimum"),
    ({"sound_strength": 0.19, "sound": "x"}, "$.sound_strength", "minimum"),
    ({"webhook_url": "http://a.example", "sound": "x"}, "$.webhook_url", "pattern"),
    ({"webhook_url": "https://", "sound": "x"}, "$.webhook_url", "pattern"),
    ({"webhook_url": "https://a.example/\n", "sound": "x"}, "$.webhook_url", "characters"),
    ({"webhook_url": "https://a.example/\u00e9", "sound": "x"}, "$.webhook_url", "characters"),
    ({"webhook_url": "https://a.example/" + "b" * 1007, "sound": "x"}, "$.webhook_url", "maxLength"),
    ({"webhook_secret": "", "sound": "x"}, "$.webhook_secret", "minLength"),
    ({"webhook_secret": "s" * 257, "sound": "x"}, "$.webhook_secret", "maxLength"),
    ({"request_id": "", "sound": "x"}, "$.request_id", "minLength"),
    ({"request_id": "a b", "sound": "x"}, "$.request_id", "characters"),
    ({"request_id": "a\n", "sound": "x"}, "$.request_id", "characters"),
    ({"request_id": "#intake", "sound": "x"}, "$.request_id", "characters"),
    ({"request_id": "a" * 129, "sound": "x"}, "$.request_id", "maxLength"),
    ({"metadata": [], "sound": "x"}, "$.metadata", "type"),
    ({"metadata": {str(n): "" for n in range(11)}, "sound": "x"}, "$.metadata", "maxProperties"),
    ({"metadata": {"a": 1}, "sound": "x"}, "$.metadata.a", "type"),
    ({"metadata": {"a.b": "v" * 257}, "sound": "x"}, "$.metadata['a.b']", "maxLength"),
    ({"metadata": {"la la la": 1}, "sound": "x"}, "$.metadata[?]", "type"),
    ({"metadata": {"": "v"}, "sound": "x"}, "$.metadata", "patternProperties"),
    ({"metadata": {"k" * 65: "v"}, "sound": "x"}, "$.metadata", "patternProperties"),
    ({"metadata": {"k" * 65: "v", "j" * 65: "v"}, "sound": "x"}, "$.metadata", "patternProperties"),
    ({"metadata": {"k\n": "v", "\u001b[2J": "v"}, "sound": "x"}, "$.metadata", "patternProperties"),
    ({"task_token": "", "sound": "x"}, "$.task_token", "minLength"),
    ({"task_token": "t" * 2049, "sound": "x"}, "$.task_token", "maxLength"),
    *[({"not_after": no_moment, "sound": "x"}, "$.not_after", "moment") for no_moment in NO_MOMENTS],
    ([{"sound": "x"}], "$", "type"),
    (None, "$", "type"),
    ("{}", "$", "type"),
]


@pytest.mark.parametrize(("fields", "path", "rule"), BREACHES)
def test_each_broken_rule_is_one_error_with_its_path(fields: JsonValue, path: str, rule: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        SongRequest.parse(json.dumps(fields), "message-1")
    (error,) = caught.value.errors
    assert (error.path, error.rule) == (path, rule)


# Each field with texts, and whether tabs and line breaks are allowed in it.
TEXTS = {
    "sound": True,
    "lyrics": True,
    "title": False,
    "webhook_secret": False,
    "task_token": False,
}
CONTROLS = [chr(code) for code in (*range(0x20), 0x7F)]


@pytest.mark.parametrize(("field", "may_have_lines"), TEXTS.items())
def test_control_characters_are_refused_in_a_text_by_its_name(field: str, *, may_have_lines: bool) -> None:
    for control in CONTROLS:
        errors = errors_in({"lyrics": "la", field: f"la {control} la"})
        allowed = may_have_lines and control in "\t\r\n"
        assert [(error.path, error.rule) for error in errors] == [(f"$.{field}", "characters")] * (not allowed), control


def test_control_characters_are_refused_in_metadata() -> None:
    for control in CONTROLS:
        assert errors_in({"sound": "x", "metadata": {f"la {control}": "la"}})
        assert bool(errors_in({"sound": "x", "metadata": {"k": f"la {control}"}})) == (control not in "\t\r\n")


INVISIBLE = [
    *(chr(code) for code in range(0x1_0000) if not 0xD800 <= code <= 0xDFFF and chr(code).isspace()),
    *"\u0085\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200d\u200f\u202e\u2060\u2066\u2800\u3164\ufe0f\ufeff\uffa0",
]


@pytest.mark.parametrize("field", ["sound", "lyrics"])
def test_a_sound_and_lyrics_need_a_visible_character(field: str) -> None:
    for character in INVISIBLE:
        assert "pattern" in {error.rule for error in errors_in({field: character * 3})}, f"{ord(character):x}"
    for visible in ("a", ".", "7", "\u00e9", "\u0416", "\u6b4c", "\u0301", "\N{MUSICAL NOTE}", "\ue000", "\ufffd"):
        assert errors_in({field: f"\u200b {visible}"}) == []


def test_every_rule_of_the_schema_is_among_these() -> None:
    # A moment is the `anyOf` of its field.
    assert set(_rules_in(SCHEMA)) | {"moment"} == {rule for _, _, rule in BREACHES}


# Keywords that no request can break, and those that hold other rules. An unknown field has tests of its own.
_NO_RULES = {"$schema", "$id", "title", "description", "default", "examples"}
_HOLDERS = {"properties", "additionalProperties"}


def _rules_in(schema: Mapping[str, JsonValue]) -> Iterator[str]:
    yield from ("characters" if rule == "not" else rule for rule in schema.keys() - _NO_RULES - _HOLDERS)
    for holder in schema.keys() & {"properties", "patternProperties"}:
        held = schema[holder]
        assert isinstance(held, dict)
        for one in held.values():
            yield from _rules_in(one) if isinstance(one, dict) else ()
