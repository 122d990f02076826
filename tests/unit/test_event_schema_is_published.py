"""The schema of the events as consumers read it: valid, described, with the fields and values of the code, and open for
those of a later version.
"""

from dataclasses import fields

import jsonschema_rs
import pytest

from song_intake.contract.song_request import SongRequest
from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import DeadLetter
from song_intake.domain.reason import Reason
from song_intake.domain.recording import Recording
from song_intake.domain.task import Clip
from song_intake.outgoing.events import VERSION, EventType, SongEvent
from song_intake.outgoing.metrics import METRIC_OF_LETTER
from song_intake.outgoing.notifier import event_of_letter
from tests.local.contract import closed_event_schema, errors_in, fields_of_events, published

SCHEMA = published("song_event")
EVERY_EVENT: dict[str, object] = {"version": VERSION, "id": "i", "status": "FAILED", "metadata": {}, "clips": []}
VALID = {**EVERY_EVENT, "request_id": "r-1", "task_id": "t-1", "reason": "FAILED_BY_VENDOR"}
MESSAGE = Message("m-1", "receipt", '{"sound": "polka"}', 1, 0.0, {})
REQUEST = SongRequest.parse(MESSAGE.body, MESSAGE.message_id)
# A message may crash the function before it is read.
WITHOUT_REQUEST = {Reason.INVALID_REQUEST, Reason.RETRIES_EXHAUSTED}
# Letters of checks and of recordings cause no event: the row does.
OF_OTHER_QUEUES = {
    Reason.TASK_UNKNOWN,
    Reason.NEVER_FINISHED,
    Reason.NO_SUCH_REQUEST,
    Reason.RECORDING_UNAVAILABLE,
}
OF_A_ROW = {
    ("FAILED", Reason.FAILED_BY_VENDOR),
    ("REJECTED", Reason.NOT_CREATED),
    ("NOT_KEPT", Reason.RECORDING_UNAVAILABLE),
    ("IN_DOUBT", Reason.TASK_UNKNOWN),
    ("IN_DOUBT", Reason.NEVER_FINISHED),
}
UNKNOWN: list[dict[str, object]] = [
    {"tempo": 120},
    {"clips": [{"clip_id": "c", "tempo": 120}]},
    {"reason": "BROKEN_BY_VENDOR"},
]


def is_valid(event: dict[str, object]) -> bool:
    return jsonschema_rs.validator_for(SCHEMA).is_valid(event)


def test_it_is_a_valid_schema_of_its_draft() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"].startswith("urn:")
    jsonschema_rs.meta.validate(SCHEMA)


def test_its_version_is_that_of_the_events() -> None:
    assert SCHEMA["properties"]["version"]["const"] == VERSION
    assert SCHEMA["$id"].endswith(f":{VERSION}")


def test_it_names_every_event_type() -> None:
    assert SCHEMA["properties"]["status"]["enum"] == [event_type.name for event_type in EventType]
    assert all(event_type.value in SCHEMA["description"] for event_type in EventType)


def test_it_has_the_fields_of_an_event_and_no_others() -> None:
    in_the_code = {field.name for field in fields(SongEvent)} - {"event_type", "dedup_key", "trace"}
    assert set(SCHEMA["properties"]) == in_the_code | {"version", "id", "status", "trace_id"}


def test_it_has_the_reasons_that_dead_letters_and_rows_cause() -> None:
    listed = {(status, reason) for status, (*_, reasons) in fields_of_events().items() for reason in reasons}
    caused = set(OF_A_ROW)
    for reason in METRIC_OF_LETTER.keys() - OF_OTHER_QUEUES:
        for request in (REQUEST, None) if reason in WITHOUT_REQUEST else (REQUEST,):
            event = event_of_letter(DeadLetter(reason, "why"), MESSAGE, "r-1", request)
            caused.add((event.event_type.name, reason))
    assert listed == caused


def test_it_has_the_fields_of_a_clip_and_no_others() -> None:
    clip = SCHEMA["properties"]["clips"]["items"]
    assert set(clip["properties"]) == {field.name for field in fields(Clip)}


def test_it_has_the_fields_of_a_recording_and_no_others() -> None:
    recording = SCHEMA["properties"]["recordings"]["items"]
    assert set(recording["properties"]) == {field.name for field in fields(Recording)} | {"uri"}
    assert set(recording["required"]) == set(recording["properties"])


@pytest.mark.parametrize("name", [name for name in SCHEMA["properties"] if name != "version"])
def test_every_field_is_described(name: str) -> None:
    assert SCHEMA["properties"][name]["description"].endswith(".")


@pytest.mark.parametrize("reason", Reason)
def test_a_consumer_accepts_any_reason(reason: Reason) -> None:
    assert is_valid(VALID | {"reason": reason.value})


def test_it_accepts_an_event_with_only_the_required_fields() -> None:
    assert is_valid(VALID)


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": "2"},
        {"id": ""},
        {"status": "SUBMITTING"},
        {"reason": "free text"},
        {"refunded": "yes"},
        {"metadata": {"customer": 1}},
        {"clips": [{"audio_url": "https://a"}]},
        {"clips": [{"clip_id": "c", "duration": "183.48"}]},
    ],
    ids=str,
)
def test_it_rejects_what_no_event_has(wrong: dict[str, object]) -> None:
    assert not is_valid(VALID | wrong)


@pytest.mark.parametrize("unknown", UNKNOWN, ids=str)
def test_a_consumer_accepts_what_a_later_version_adds_and_this_version_must_not_publish_it(
    unknown: dict[str, object],
) -> None:
    assert is_valid(VALID | unknown)
    assert errors_in("song_event", VALID) == []
    assert errors_in("song_event", VALID | unknown)


def test_a_field_of_another_type_of_event_is_not_published() -> None:
    assert is_valid(VALID | {"recordings": []})
    assert errors_in("song_event", VALID | {"recordings": []})
    assert "recordings" in closed_event_schema()["properties"]


@pytest.mark.parametrize("name", VALID)
def test_the_fields_that_every_event_has_are_required(name: str) -> None:
    assert not is_valid({other: value for other, value in VALID.items() if other != name})
