"""The text of errors: all of them together, without any content of the song."""

import json

import pytest

from song_intake.contract.errors import MAX_ERRORS_NAMED, MAX_SUMMARY_CHARACTERS, FieldError
from song_intake.contract.song_request import InvalidRequest, SongRequest
from song_intake.contract.strict_json import JsonValue

SOUND: dict[str, JsonValue] = {"sound": "tango, bandoneon"}


def refused(document: JsonValue) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        SongRequest.parse(json.dumps(document), "message-1")
    return caught.value


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"lyrics_strength": 1.5}, "$.lyrics_strength must be at most 1 (maximum)"),
        ({"sound_strength": 0}, "$.sound_strength must be at least 0.2 (minimum)"),
        ({"title": "x" * 81}, "$.title must be at most 80 characters long (maxLength)"),
        ({"make_instrumental": "yes"}, "$.make_instrumental must be true or false (type)"),
        ({"lyrics": " "}, "$.lyrics must be text that is not blank (pattern)"),
        (
            {"task_type": "cover_music"},
            "$.task_type must be 'create_music': the music API has retired every other task type (const)",
        ),
        (
            {"metadata": {"": "v"}},
            "$.metadata must have keys of 1 to 64 characters without control characters (patternProperties)",
        ),
        (
            {"title": "two\nlines"},
            "$.title must not contain control characters, such as line breaks (characters)",
        ),
        (
            {"lyrics": "a bell \a"},
            "$.lyrics must not contain control characters other than tabs and line breaks (characters)",
        ),
        ({"request_id": "a b"}, "$.request_id must contain only the characters A-Z a-z 0-9 . _ : - (characters)"),
    ],
)
def test_an_error_names_the_field_the_rule_and_what_was_expected(fields: dict[str, JsonValue], text: str) -> None:
    assert str(refused({**SOUND, **fields})) == text


def test_an_error_in_a_list_is_shown_with_its_position() -> None:
    text = "$.sound[1] must not contain half of a surrogate pair, which UTF-8 cannot encode (wholeCharacters)"
    assert str(refused({"sound": ["fine", "\ud800"]})) == text


def test_an_empty_request_is_an_error_that_names_what_it_needs() -> None:
    assert str(refused({})) == "$ must have at least one of 'sound', 'lyrics' (anyOf)"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lyric_strength", "is not a field of a song request, did you mean 'lyrics_strength'?"),
        ("LYRICS", "is not a field of a song request, did you mean 'lyrics'?"),
        ("webhookUrl", "is not a field of a song request, did you mean 'webhook_url'?"),
        ("qqq", "is not a field of a song request"),
    ],
)
def test_an_unknown_field_is_named_with_the_nearest_known_one(name: str, message: str) -> None:
    assert refused({**SOUND, name: 1}).errors == (FieldError(f"$.{name}", "additionalProperties", message),)


@pytest.mark.parametrize("name", ["canary in the lyrics", "canary\n", "canary" * 7, "cänary", "canary\u0000", ""])
def test_a_field_name_that_may_hold_content_is_not_shown(name: str) -> None:
    invalid = refused({**SOUND, name: 1})
    assert invalid.errors[0].path == "$[?]"
    assert "cannot be shown" in str(invalid)
    assert "nary" not in str(invalid)


@pytest.mark.parametrize(
    "fields",
    [
        {f"unknown{number}": 1 for number in range(900)},
        {f"sound_strengt{number}": 1 for number in range(50)},
        {"metadata": {f"k{number}": 1 for number in range(900)}},
        {"x" * 40 + str(number): 1 for number in range(50)},
        {f"{number:040}": number for number in range(990)},
    ],
)
def test_the_text_of_many_errors_is_bounded_and_counts_the_omitted_ones(fields: dict[str, JsonValue]) -> None:
    invalid = refused({**SOUND, **fields})
    text = str(invalid)
    assert len(text) <= MAX_SUMMARY_CHARACTERS
    assert text.isascii()
    assert text.isprintable()
    assert str(invalid.errors[0]) in text
    if len(invalid.errors) > 1:
        named = text.count("(additionalProperties)") + text.count("(type)") + text.count("(maxProperties)")
        assert text.startswith(f"{len(invalid.errors)} errors: ")
        assert named <= MAX_ERRORS_NAMED
        assert text.endswith(f"; and {len(invalid.errors) - named} more")


@pytest.mark.parametrize("length", range(60, 220))
def test_the_text_stays_within_its_bound_however_long_the_errors_are(length: int) -> None:
    text = str(InvalidRequest([FieldError("$", "rule", "x" * length)] * 30))
    assert len(text) <= MAX_SUMMARY_CHARACTERS
    assert " more" in text


def test_only_the_named_errors_get_a_suggestion() -> None:
    errors = refused({**SOUND, **{f"lyrics{number}": 1 for number in range(990)}}).errors
    assert len(errors) == 990
    assert sum("did you mean" in error.message for error in errors) == MAX_ERRORS_NAMED
