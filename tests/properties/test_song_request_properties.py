"""Properties of every message body, not only of the examples in the other tests."""

import json
from typing import TypeAlias, cast

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from song_intake.contract import schema as contract
from song_intake.contract.errors import MAX_SUMMARY_CHARACTERS
from song_intake.contract.song_request import InvalidRequest, SongRequest
from song_intake.contract.strict_json import JsonValue

Fields: TypeAlias = dict[str, JsonValue]

EXAMPLES = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

# Letters that no message of this project uses: if an error has one, a value of the request leaked.
CANARY_LETTERS = "ЖЩЪЫЭЮЯ"
CANARY = st.text(alphabet=CANARY_LETTERS, min_size=6, max_size=40)

NAMES = st.sampled_from(
    [*contract.FIELDS, "Message", "TopicArn", "Type", "detail", "detail-type", "eventSource", "body"]
)
FRAGMENTS = st.sampled_from([*'{}[]",:\\ ', '"sound"', '"a"', "1e999", "-0", "NaN", "\\ud800", "\ud800", "\ufeff"])
JSON_VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(), inner, max_size=6),
    max_leaves=12,
)
ANY_TEXT = st.text() | st.lists(FRAGMENTS).map("".join) | JSON_VALUES.map(json.dumps)

OPTIONAL_OF_A_SONG: dict[str, st.SearchStrategy[JsonValue]] = {
    "task_type": st.just("create_music"),
    "lyrics": CANARY,
    "title": CANARY,
    "mv": st.sampled_from(cast("list[str]", contract.FIELDS["mv"]["enum"])),
    "seed": st.from_regex(r"[0-9]{1,20}", fullmatch=True),
    "make_instrumental": st.booleans(),
    "lyrics_strength": st.floats(0, 1) | st.integers(0, 1),
    "sound_strength": st.floats(0.2, 1),
    "weirdness": st.floats(0, 1),
}
STACK_FIELDS: dict[str, st.SearchStrategy[JsonValue]] = {
    "request_id": st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True),
    "metadata": st.dictionaries(CANARY, CANARY, max_size=10),
    "task_token": CANARY,
}


def with_any_of(always: Fields, sometimes: dict[str, st.SearchStrategy[JsonValue]]) -> st.SearchStrategy[Fields]:
    required: dict[str, st.SearchStrategy[JsonValue]] = {name: st.just(value) for name, value in always.items()}
    return st.fixed_dictionaries(required, optional=sometimes)


SONGS = CANARY.flatmap(lambda sound: with_any_of({"sound": sound}, OPTIONAL_OF_A_SONG))


@EXAMPLES
@given(body=ANY_TEXT)
def test_every_text_is_parsed_or_rejected(body: str) -> None:
    try:
        request = SongRequest.parse(body, "message-1")
    except InvalidRequest as error:
        invalid = error
    else:
        assert json.loads(request.create_body)["task_type"] == "create_music"
        return
    assert invalid.errors
    assert len(str(invalid)) <= MAX_SUMMARY_CHARACTERS
    assert str(invalid).isascii()
    assert str(invalid).isprintable()


@EXAMPLES
@given(song=SONGS, own=with_any_of({}, STACK_FIELDS))
def test_a_valid_request_is_posted_with_all_its_fields_and_none_of_the_stacks_own(song: Fields, own: Fields) -> None:
    request = SongRequest.parse(json.dumps({**song, **own}), "message-1")
    assert json.loads(request.create_body) == {"task_type": "create_music", **song}
    assert request.request_id == own.get("request_id", "message-1")
    assert request.metadata == own.get("metadata", {})
    assert request.task_token == own.get("task_token")


@EXAMPLES
@given(song=SONGS, data=st.data())
def test_order_spacing_and_escapes_do_not_change_the_fingerprint(song: Fields, data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(song.items()))))
    other_text = json.dumps(shuffled, indent=data.draw(st.none() | st.integers(0, 4)), ensure_ascii=False)
    one = SongRequest.parse(json.dumps(song), "message-1")
    other = SongRequest.parse(other_text, "message-2")
    assert (one.fingerprint, one.create_body) == (other.fingerprint, other.create_body)


@EXAMPLES
@given(
    song=SONGS,
    own=with_any_of({}, STACK_FIELDS),
    anything=st.dictionaries(NAMES | CANARY, CANARY | st.lists(CANARY) | st.integers(), max_size=6),
)
def test_no_value_of_the_caller_is_in_an_error_or_a_repr(song: Fields, own: Fields, anything: Fields) -> None:
    body = json.dumps({**song, **own, **anything}, ensure_ascii=False)
    cut = body[:-1]
    sound_twice = body.replace("{", f'{{"sound": "{CANARY_LETTERS}", ', 1)
    for text in (body, cut, sound_twice, json.dumps([body], ensure_ascii=False)):
        assert not set(CANARY_LETTERS) & set(all_text_about(text))


def all_text_about(body: str) -> str:
    try:
        return repr(SongRequest.parse(body, "message-1"))
    except InvalidRequest as invalid:
        return f"{invalid} {invalid!r} {invalid.errors}"
