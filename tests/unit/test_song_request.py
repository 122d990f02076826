"""What a message body becomes: a song request, or all the errors in it."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from song_intake.contract.song_request import InvalidRequest, SongRequest
from song_intake.contract.strict_json import JsonValue

SOUND: dict[str, JsonValue] = {"sound": "tango, bandoneon"}


def parse(document: JsonValue, message_id: str = "message-1", known_id: str | None = None) -> SongRequest:
    return SongRequest.parse(json.dumps(document), message_id, known_id)


def refused(body: JsonValue) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        SongRequest.parse(body if isinstance(body, str) else json.dumps(body), "message-1")
    return caught.value


def test_the_create_body_is_canonical_and_has_none_of_our_fields() -> None:
    request = parse(
        {
            "title": "Grüße",
            "sound": "waltz",
            "weirdness": 0.25,
            "request_id": "r-1",
            "metadata": {"customer": "c-1"},
            "task_token": "token",
            "not_after": 1782921600,
        }
    )
    expected = '{"sound":"waltz","task_type":"create_music","title":"Grüße","weirdness":0.25}'.encode()
    assert request == SongRequest(
        "r-1", expected, hashlib.sha256(expected).hexdigest(), {"customer": "c-1"}, "token", not_after=1782921600.0
    )


@pytest.mark.parametrize(
    "same_song",
    [
        pytest.param('{"lyrics_strength": 1, "sound": "tango"}', id="another order"),
        pytest.param(' {\n"sound"\t: "t\\u0061ngo",\r\n"lyrics_strength":1 } ', id="other spacing and escapes"),
        pytest.param('{"sound": "tango", "lyrics_strength": 1.0}', id="the number written as a float"),
        pytest.param('{"sound": "tango", "lyrics_strength": 10e-1}', id="the number with an exponent"),
        pytest.param('{"sound": "tango", "lyrics_strength": 1, "task_type": "create_music"}', id="the default given"),
        pytest.param('{"sound": "tango", "lyrics_strength": 1, "request_id": "a", "metadata": {"b": "c"}}', id="ours"),
        pytest.param('{"sound": "tango", "lyrics_strength": 1, "not_after": 5}', id="a deadline"),
    ],
)
def test_the_same_song_has_the_same_fingerprint(same_song: str) -> None:
    plain = SongRequest.parse('{"sound": "tango", "lyrics_strength": 1}', "message-1")
    assert SongRequest.parse(same_song, "message-2").fingerprint == plain.fingerprint


@pytest.mark.parametrize("other", [{"sound": "Tango"}, {"sound": "tango "}, {"sound": "tango", "seed": "1"}])
def test_another_song_has_another_fingerprint(other: JsonValue) -> None:
    assert parse(other).fingerprint != parse({"sound": "tango"}).fingerprint


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("2026-07-01T18:00:00+02:00", 1782921600),
        ("2026-07-01t16:00:00z", 1782921600),
        ("2026-07-01T16:00:00.25Z", 1782921600.25),
        ("2026-07-01T11:30:00.5-04:30", 1782921600.5),
        ("1970-01-01T00:00:00Z", 0),
        (1782921600, 1782921600),
        (1782921600.25, 1782921600.25),
    ],
)
def test_a_deadline_is_the_same_moment_in_every_form(given: JsonValue, seconds: float) -> None:
    assert parse({**SOUND, "not_after": given}).not_after == seconds
    assert parse(SOUND).not_after is None


def test_a_deadline_that_is_none_is_explained_without_its_value() -> None:
    for no_moment in ("2026-02-30T00:00:00Z", "canary"):
        (error,) = refused({**SOUND, "not_after": no_moment}).errors
        assert "with an offset" in error.message
        assert no_moment not in str(error)
    assert [error.rule for error in refused('{"sound": "x", "not_after": NaN}').errors] == ["finiteNumbers"]


def test_metadata_can_be_read_and_not_changed() -> None:
    request = parse({**SOUND, "metadata": {"customer": "c-1"}})
    assert request.metadata["customer"] == "c-1"
    with pytest.raises(TypeError):
        request.metadata["customer"] = "c-2"  # type: ignore[index]
    assert parse(SOUND).metadata == {}


def test_the_repr_shows_ids_and_nothing_of_the_song() -> None:
    request = parse({"sound": "canary", "metadata": {"a": "canary"}, "task_token": "canary", "request_id": "r-1"})
    assert "canary" not in repr(request)
    assert "r-1" in repr(request)


def test_threads_may_parse_in_parallel() -> None:
    documents: list[JsonValue] = [{"sound": f"tango {number}", "title": str(number)} for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(parse, documents)) == list(map(parse, documents))


def wrapped_by_sns(document: JsonValue, sns_id: str) -> JsonValue:
    topic = "arn:aws:sns:eu-west-1:123456789012:songs"
    return {"Type": "Notification", "TopicArn": topic, "MessageId": sns_id, "Message": json.dumps(document)}


@pytest.mark.parametrize(
    ("document", "known_id", "request_id"),
    [
        pytest.param(wrapped_by_sns({**SOUND, "request_id": "own"}, "sns"), "known", "own", id="the caller's own"),
        pytest.param(wrapped_by_sns(SOUND, "sns"), "known", "known", id="the known id of an earlier delivery"),
        pytest.param(wrapped_by_sns(SOUND, "sns"), None, "sns", id="the envelope's"),
        pytest.param(SOUND, "known", "known", id="redriven without an envelope"),
        pytest.param(SOUND, None, "message-1", id="the message's"),
        pytest.param(wrapped_by_sns(SOUND, "with blank"), None, "message-1", id="an invalid envelope id"),
        pytest.param(SOUND, "known\n", "message-1", id="an invalid known id"),
        pytest.param(SOUND, "", "message-1", id="an empty known id"),
    ],
)
def test_the_request_id_comes_from_the_source_closest_to_the_caller(
    document: JsonValue, known_id: str | None, request_id: str
) -> None:
    assert parse(document, known_id=known_id).request_id == request_id


def test_a_message_whose_id_cannot_be_a_request_id_needs_a_request_id() -> None:
    assert parse({**SOUND, "request_id": "r-1"}, "#pace").request_id == "r-1"
    with pytest.raises(InvalidRequest) as caught:
        parse(SOUND, "#pace")
    assert [error.rule for error in caught.value.errors] == ["requestId"]


@pytest.mark.parametrize(
    ("body", "request_id"),
    [
        ({"request_id": "r-1", "sound": 5}, "r-1"),
        ({"request_id": "r-1", "sound": "x" * 70_000}, "r-1"),
        (wrapped_by_sns({"request_id": "r-1"}, "sns"), "r-1"),
        (wrapped_by_sns({"sound": 5}, "sns"), None),
        ({"request_id": "with blank", "sound": "x"}, None),
        ({"request_id": 7, "sound": "x"}, None),
        ('{"request_id": "r-1", "request_id": "r-1"}', None),
        (["r-1"], None),
        ("r-1", None),
    ],
)
def test_an_invalid_request_keeps_the_callers_id_where_it_can_be_read(body: JsonValue, request_id: str | None) -> None:
    assert refused(body).request_id == request_id


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        pytest.param(json.dumps({"sound": "x" * 65_536}), "maxBytes", id="too large"),
        pytest.param(json.dumps({"sound": "\N{MUSICAL NOTE}" * 16_400}, ensure_ascii=False), "maxBytes", id="in UTF-8"),
        pytest.param("x" * 1_048_576, "maxBytes", id="1 MiB"),
        pytest.param(json.dumps(wrapped_by_sns({"sound": "x" * 65_536}, "sns")), "maxBytes", id="too large inside"),
        pytest.param('{"sound": "a", "sound": "a"}', "uniqueKeys", id="a key twice"),
        pytest.param('{"sound": "a", "weirdness": NaN}', "finiteNumbers", id="NaN"),
        pytest.param('{"sound": "a", "weirdness": 1e999}', "finiteNumbers", id="beyond a double"),
        pytest.param('{"sound": "\\ud800"}', "wholeCharacters", id="half a surrogate pair"),
        pytest.param('{"sound":' * 1000, "maxDepth", id="deep"),
        pytest.param(json.dumps({f"field{number}": "" for number in range(2000)}), "maxValues", id="many values"),
        pytest.param("", "notEmpty", id="empty"),
    ],
)
def test_an_unreadable_body_is_one_error(body: str, rule: str) -> None:
    (error,) = refused(body).errors
    assert error.rule == rule


def test_a_request_of_exactly_64_kib_is_accepted() -> None:
    room = 65_536 - len('{"sound":""}')
    assert SongRequest.parse(f'{{"sound":"{"x" * room}"}}', "message-1")
