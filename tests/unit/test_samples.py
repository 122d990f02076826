"""The sample messages match their index. The docs, the local run and the tests use the same files."""

import json
from pathlib import Path

import pytest

from song_intake.contract.song_request import InvalidRequest, SongRequest
from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import DeadLetter
from song_intake.domain.reason import Reason
from song_intake.outgoing import events
from song_intake.outgoing.notifier import event_of_letter
from tests.local.contract import errors_in

EVENTS = Path(__file__).parents[2] / "events"
EXPECTED: list[dict[str, str]] = json.loads((EVENTS / "expected.json").read_text(encoding="utf-8"))


def sample(name: str) -> str:
    return (EVENTS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["file"])
def test_each_sample_matches_its_index_entry(case: dict[str, str]) -> None:
    if case.get("reason") == "INVALID_REQUEST":
        with pytest.raises(InvalidRequest):
            SongRequest.parse(sample(case["file"]), "message-1")
    else:
        assert SongRequest.parse(sample(case["file"]), "message-1").create_body


def test_every_sample_is_in_the_index_once() -> None:
    files = sorted(
        path.name for path in EVENTS.iterdir() if path.suffix in (".json", ".txt") and path.name != "expected.json"
    )
    assert sorted(case["file"] for case in EXPECTED) == files


def test_of_the_samples_with_one_id_one_is_a_duplicate_and_one_another_request() -> None:
    first, again, reused = (
        SongRequest.parse(sample(name), "message-1")
        for name in ("with_request_id_and_metadata.json", "duplicate_of_request_id.json", "request_id_reused.json")
    )
    assert first == again
    assert (first.request_id, first.fingerprint) != (reused.request_id, reused.fingerprint)
    assert first.request_id == reused.request_id


def test_the_vendors_own_example_is_a_valid_request() -> None:
    example = json.loads(sample("song_with_lyrics.json"))
    assert set(example) == {
        "task_type", "mv", "sound", "lyrics_strength", "sound_strength", "make_instrumental", "title", "lyrics",
    }  # fmt: skip
    assert json.loads(SongRequest.parse(json.dumps(example), "message-1").create_body) == example


def test_the_invalid_sample_has_exactly_its_five_errors() -> None:
    with pytest.raises(InvalidRequest) as caught:
        SongRequest.parse(sample("invalid_five_errors.json"), "message-1")
    assert [(error.path, error.rule) for error in caught.value.errors] == [
        ("$.lyrics_strength", "maximum"),
        ("$.make_instrumental", "type"),
        ("$.mv", "enum"),
        ("$.seed", "type"),
        ("$.webhook_url", "pattern"),
    ]


@pytest.mark.parametrize("name", sorted(path.name for path in (EVENTS / "published").iterdir()))
def test_the_sample_of_an_event_is_valid_by_the_published_schema(name: str) -> None:
    published = json.loads(sample(f"published/{name}"))
    assert errors_in("song_event", published["detail"]) == []
    assert published["source"] == events.SONG_SOURCE
    assert published["detail-type"] == events.EventType[published["detail"]["status"]]
    for recording in published["detail"].get("recordings", []):
        assert recording["uri"] == f"s3://{recording['bucket']}/{recording['key']}"


def test_the_sample_of_a_rejected_message_is_what_an_invalid_sample_causes() -> None:
    published = json.loads(sample("published/message_rejected.json"))
    message = Message(published["detail"]["message_id"], "receipt", sample("invalid_unknown_field.json"), 1, 0.0, {})
    with pytest.raises(InvalidRequest) as invalid:
        SongRequest.parse(message.body, message.message_id)
    letter = DeadLetter(Reason.INVALID_REQUEST, str(invalid.value))
    event = event_of_letter(letter, message, invalid.value.request_id, request=None)
    assert (published["source"], published["detail-type"]) == (events.SONG_SOURCE, event.event_type)
    assert published["detail"] == event.as_detail()
    assert errors_in("song_event", published["detail"]) == []
