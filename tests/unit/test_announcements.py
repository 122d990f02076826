"""The events, as a consumer reads them: by the published schema, with an id that tells a repeat from news."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import jsonschema_rs
import pytest
from botocore.stub import Stubber

from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.domain.task import Clip
from song_intake.outgoing import events as announcements
from song_intake.outgoing.events import MOST_BYTES_A_CALL, EventPublisher, EventType, SongEvent

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SCHEMA = json.loads(Path(announcements.__file__).with_name("song_event.schema.json").read_text(encoding="utf-8"))
WHOLE = Clip("clip-1", "https://a", "https://w", "https://i", "https://v", 183.48, "FUZZ-2.0", "7")
SCANTY = Clip("")

FULL = {
    EventType.SUBMITTED: SongEvent(EventType.SUBMITTED, "r-1", "t-1", task_id="t-1", metadata={"customer": "c-1"}),
    EventType.SUCCEEDED: SongEvent(EventType.SUCCEEDED, "r-1", "t-1", task_id="t-1", clips=(WHOLE, SCANTY)),
    EventType.FAILED: SongEvent(
        EventType.FAILED, "r-1", "t-1", "t-1", Reason.FAILED_BY_VENDOR, vendor_code="timeout", refunded=False
    ),
    EventType.REJECTED: SongEvent(EventType.REJECTED, "r-1", "m-1", reason=Reason.REFUSED, detail="été"),
    EventType.IN_DOUBT: SongEvent(EventType.IN_DOUBT, "r-1", "m-1", reason=Reason.OUTCOME_UNKNOWN, detail="why"),
}
LEAST = {event_type: SongEvent(event_type, None, "m-1") for event_type in EventType}


def detail_of(event: SongEvent) -> dict[str, object]:
    """As it arrives."""
    said = json.loads(json.dumps(event.as_detail()))
    assert isinstance(said, dict)
    return said


@pytest.mark.parametrize("announcements", [FULL, LEAST], ids=["all that can be known", "the least"])
@pytest.mark.parametrize("event_type", EventType)
def test_every_event_keeps_the_published_schema(
    announcements: dict[EventType, SongEvent], event_type: EventType
) -> None:
    detail = detail_of(announcements[event_type])
    assert [error.message for error in jsonschema_rs.validator_for(SCHEMA).iter_errors(detail)] == []
    assert detail["status"] == event_type.name


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_keeps_the_published_schema(reason: Reason) -> None:
    jsonschema_rs.validate(SCHEMA, detail_of(SongEvent(EventType.REJECTED, "r-1", "m-1", reason=reason)))


def test_what_is_not_known_is_left_out() -> None:
    assert detail_of(LEAST[EventType.REJECTED]) == {
        "version": "1",
        "id": "-/REJECTED/m-1",
        "status": "REJECTED",
        "metadata": {},
        "clips": [],
    }
    assert detail_of(FULL[EventType.SUCCEEDED])["clips"] == [
        {
            "clip_id": "clip-1",
            "audio_url": "https://a",
            "wav_url": "https://w",
            "image_url": "https://i",
            "video_url": "https://v",
            "duration": 183.48,
            "mv": "FUZZ-2.0",
            "seed": "7",
        },
        {"clip_id": ""},
    ]


def test_a_no_is_not_taken_for_unknown() -> None:
    assert detail_of(FULL[EventType.FAILED])["refunded"] is False


def test_a_repeat_has_the_id_of_the_first_whatever_else_is_known_by_then() -> None:
    first = SongEvent(EventType.REJECTED, "r-1", "m-1", reason=Reason.REFUSED)
    again = SongEvent(EventType.REJECTED, "r-1", "m-1", reason=Reason.REFUSED, detail="more", vendor_code="x")
    assert first.event_id == again.event_id


def test_another_happening_request_or_occasion_has_an_id_of_its_own() -> None:
    ids = {
        SongEvent(event_type, request_id, dedup_key).event_id
        for event_type in EventType
        for request_id in ("r-1", "r-2", None)
        for dedup_key in ("t-1", "m-1")
    }
    assert len(ids) == 5 * 3 * 2


@pytest.fixture
def stubbed() -> Iterator[tuple[EventPublisher, Stubber]]:
    events = boto3.client("events", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(events) as stubber:
        yield EventPublisher(events, "a-bus"), stubber
    events.close()


def test_an_event_says_where_it_comes_from(stubbed: tuple[EventPublisher, Stubber]) -> None:
    publisher, stubber = stubbed
    event = FULL[EventType.REJECTED]
    entry = {
        "EventBusName": "a-bus",
        "Source": "song-intake",
        "DetailType": "Song Rejected",
        "Detail": json.dumps(event.as_detail(), ensure_ascii=False),
    }
    stubber.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, {"Entries": [entry]})
    publisher.publish(event)
    stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("entry", "told"),
    [({"ErrorCode": "ThrottlingException", "ErrorMessage": "canary"}, "ThrottlingException"), ({}, "PutEvents")],
)
def test_a_bus_that_answers_and_takes_nothing_has_not_taken_it(
    stubbed: tuple[EventPublisher, Stubber], entry: dict[str, str], told: str
) -> None:
    publisher, stubber = stubbed
    stubber.add_response("put_events", {"FailedEntryCount": 1, "Entries": [entry]})
    with pytest.raises(SideEffectFailed, match=rf"^{told}$"):
        publisher.publish(FULL[EventType.REJECTED])


def test_a_bus_that_refuses_is_told_by_its_code_alone(stubbed: tuple[EventPublisher, Stubber]) -> None:
    publisher, stubber = stubbed
    stubber.add_client_error("put_events", "AccessDeniedException", "canary")
    with pytest.raises(SideEffectFailed, match=r"^AccessDeniedException$"):
        publisher.publish(FULL[EventType.REJECTED])


def test_events_of_one_moment_go_in_one_call_each_with_its_own_verdict(stubbed: tuple[EventPublisher, Stubber]) -> None:
    publisher, stubber = stubbed
    said = [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}]
    stubber.add_response("put_events", {"FailedEntryCount": 1, "Entries": said})
    assert publisher._put_all([_entry("a"), _entry("b")]) == [None, "ThrottlingException"]


def test_events_too_large_for_one_call_go_in_several(stubbed: tuple[EventPublisher, Stubber]) -> None:
    publisher, stubber = stubbed
    half = "\N{MUSICAL SYMBOL G CLEF}" * (MOST_BYTES_A_CALL // 8)  # four bytes each
    entries = [_entry(half), _entry("b"), _entry(half), _entry("d")]
    for together in (entries[:2], entries[2:]):
        taken = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}] * 2}
        stubber.add_response("put_events", taken, {"Entries": together})
    assert publisher._put_all(entries) == [None] * 4
    stubber.assert_no_pending_responses()


def _entry(detail: str) -> "PutEventsRequestEntryTypeDef":
    return {"EventBusName": "a-bus", "Source": "song-intake", "DetailType": "Song Submitted", "Detail": detail}
