"""The events as a consumer reads them: valid by the published schema, with an id that identifies a repeat."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.domain.recording import Recording
from song_intake.domain.task import Clip
from song_intake.domain.trace import Trace
from song_intake.outgoing.events import MOST_BYTES_A_CALL, EventPublisher, EventRefusal, EventType, SongEvent
from tests.local.contract import errors_in, fields_of_events

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

FULL_CLIP = Clip("clip-1", "https://a", "https://w", "https://i", "https://v", 183.48, "FUZZ-2.0", "7")
BARE_CLIP = Clip("")
TRACE = Trace("4bf92f3577b34da6a3ce929d0e0e4736", flags="00")
RECORDING = Recording("clip-1", "m4a", "b-1", "songs/r-1/clip-1.m4a", 2_000, "0" * 64)

OF_A_SONG: dict[str, Any] = {"request_id": "r-1", "dedup_key": "t-1", "task_id": "t-1", "trace": TRACE}
OF_A_MESSAGE: dict[str, Any] = {"request_id": "r-1", "dedup_key": "m-1", "detail": "été", "trace": TRACE}

FIELDS_BY_STATUS = fields_of_events()

# Of each type: every field that it may have.
FULL = {
    EventType.SUBMITTED: SongEvent(
        EventType.SUBMITTED, **OF_A_SONG, message_id="m-1", metadata={"customer": "c-1"}, by="an operator"
    ),
    EventType.SUCCEEDED: SongEvent(EventType.SUCCEEDED, **OF_A_SONG, message_id="m-1", clips=(FULL_CLIP, BARE_CLIP)),
    EventType.FAILED: SongEvent(
        EventType.FAILED,
        **OF_A_SONG,
        reason=Reason.FAILED_BY_VENDOR,
        vendor_code="timeout",
        refunded=False,
        message_id="m-1",
    ),
    EventType.REJECTED: SongEvent(
        EventType.REJECTED,
        **OF_A_MESSAGE,
        reason=Reason.REFUSED,
        vendor_code="422",
        message_id="m-1",
        by="an operator",
    ),
    EventType.KEPT: SongEvent(EventType.KEPT, **OF_A_SONG, message_id="m-1", recordings=(RECORDING,)),
    EventType.NOT_KEPT: SongEvent(
        EventType.NOT_KEPT,
        **OF_A_SONG,
        reason=Reason.RECORDING_UNAVAILABLE,
        detail="why",
        message_id="m-1",
        recordings=(RECORDING,),
    ),
    EventType.IN_DOUBT: SongEvent(
        EventType.IN_DOUBT,
        **OF_A_MESSAGE,
        task_id="t-1",
        reason=Reason.TASK_NOT_RECORDED,
        vendor_code="x",
        message_id="m-1",
    ),
    EventType.MESSAGE_REJECTED: SongEvent(
        EventType.MESSAGE_REJECTED, **OF_A_MESSAGE, reason=Reason.INVALID_REQUEST, message_id="m-1"
    ),
}
# The same without what only some events of the type have.
MINIMAL = {
    event_type: replace(
        event,
        request_id="r-1" if event_type is not EventType.MESSAGE_REJECTED else None,
        message_id="m-1" if event_type is EventType.MESSAGE_REJECTED else None,
        task_id=None if event_type is EventType.IN_DOUBT else event.task_id,
        vendor_code=None,
        refunded=None,
        metadata=None,
        clips=(),
        by=None,
        trace=None,
    )
    for event_type, event in FULL.items()
}


def detail_of(event: SongEvent) -> dict[str, object]:
    """The detail as the consumer receives it."""
    detail = json.loads(json.dumps(event.as_detail()))
    assert isinstance(detail, dict)
    return detail


@pytest.mark.parametrize("event_type", EventType)
def test_every_type_has_the_fields_that_the_schema_gives_it(event_type: EventType) -> None:
    always, sometimes, _ = FIELDS_BY_STATUS[event_type.name]
    full, minimal = detail_of(FULL[event_type]), detail_of(MINIMAL[event_type])
    assert (set(full), set(minimal)) == (always | sometimes, always)
    assert errors_in("song_event", full) == errors_in("song_event", minimal) == []
    assert full["status"] == minimal["status"] == event_type.name


def test_unknown_fields_are_left_out() -> None:
    assert detail_of(MINIMAL[EventType.MESSAGE_REJECTED]) == {
        "version": "1",
        "id": "-/MESSAGE_REJECTED/m-1",
        "message_id": "m-1",
        "status": "MESSAGE_REJECTED",
        "reason": "INVALID_REQUEST",
        "detail": "été",
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


def test_a_false_refunded_is_kept() -> None:
    assert detail_of(FULL[EventType.FAILED])["refunded"] is False


def test_a_repeated_event_has_the_same_id_even_with_more_details() -> None:
    first = SongEvent(EventType.REJECTED, "r-1", "m-1", reason=Reason.REFUSED)
    again = SongEvent(EventType.REJECTED, "r-1", "m-1", reason=Reason.REFUSED, detail="more", vendor_code="x")
    assert first.event_id == again.event_id


def test_the_id_differs_by_event_type_request_and_dedup_key() -> None:
    ids = {
        SongEvent(event_type, request_id, dedup_key).event_id
        for event_type in EventType
        for request_id in ("r-1", "r-2", None)
        for dedup_key in ("t-1", "m-1")
    }
    assert len(ids) == len(EventType) * 3 * 2


@pytest.fixture
def stubbed() -> Iterator[tuple[EventPublisher, Stubber]]:
    events = boto3.client("events", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(events) as stubber:
        yield EventPublisher(events, "a-bus"), stubber
    events.close()


def test_an_event_has_its_source_and_detail_type(stubbed: tuple[EventPublisher, Stubber]) -> None:
    publisher, stubber = stubbed
    event = replace(FULL[EventType.REJECTED], trace=None)
    entry = {
        "EventBusName": "a-bus",
        "Source": "song-intake",
        "DetailType": "Song Rejected",
        "Detail": json.dumps(event.as_detail(), ensure_ascii=False),
    }
    stubber.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, {"Entries": [entry]})
    publisher.publish(event)
    stubber.assert_no_pending_responses()


def test_an_event_has_its_trace_for_its_readers_and_for_aws(stubbed: tuple[EventPublisher, Stubber]) -> None:
    publisher, stubber = stubbed
    event = FULL[EventType.SUBMITTED]
    entry = {
        "EventBusName": "a-bus",
        "Source": "song-intake",
        "DetailType": "Song Submitted",
        "Detail": json.dumps(event.as_detail(), ensure_ascii=False),
        "TraceHeader": "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=0",
    }
    stubber.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, {"Entries": [entry]})
    publisher.publish(event)
    stubber.assert_no_pending_responses()
    assert detail_of(event)["trace_id"] == TRACE.trace_id


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"ErrorCode": "ThrottlingException", "ErrorMessage": "canary"}, "ThrottlingException"),
        ({"ErrorCode": "InternalFailure"}, "InternalFailure"),
        ({}, "PutEvents"),
    ],
)
def test_a_rejected_entry_in_a_200_response_is_an_error(
    stubbed: tuple[EventPublisher, Stubber], entry: dict[str, str], code: str
) -> None:
    publisher, stubber = stubbed
    stubber.add_response("put_events", {"FailedEntryCount": 1, "Entries": [entry]})
    with pytest.raises(SideEffectFailed, match=rf"^{code}$"):
        publisher.publish(FULL[EventType.REJECTED])


def test_a_failed_publish_is_reported_by_its_error_code_only(stubbed: tuple[EventPublisher, Stubber]) -> None:
    publisher, stubber = stubbed
    stubber.add_client_error("put_events", "InternalFailure", "canary", http_status_code=500)
    with pytest.raises(SideEffectFailed, match=r"^InternalFailure$"):
        publisher.publish(FULL[EventType.REJECTED])


def test_an_event_that_is_refused_for_good_is_dropped_and_reported() -> None:
    refused: list[str] = []
    events = boto3.client("events", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(events) as stubber:
        publisher = EventPublisher(events, "a-bus", refused.append)
        stubber.add_client_error("put_events", "AccessDeniedException", "canary")
        publisher.publish(FULL[EventType.REJECTED])
        stubber.add_response(
            "put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "NotAuthorizedForSourceException"}]}
        )
        publisher.publish(FULL[EventType.REJECTED])
    events.close()
    assert refused == ["AccessDeniedException", "NotAuthorizedForSourceException"]


def test_a_call_that_is_refused_for_good_is_repeated_for_each_of_its_events(
    stubbed: tuple[EventPublisher, Stubber],
) -> None:
    publisher, stubber = stubbed
    stubber.add_client_error("put_events", "ValidationException")
    stubber.add_client_error("put_events", "ValidationException")
    stubber.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
    assert publisher._put_all([_entry("a"), _entry("b")]) == [EventRefusal("ValidationException", for_good=True), None]


def test_events_in_one_call_have_one_result_each(stubbed: tuple[EventPublisher, Stubber]) -> None:
    publisher, stubber = stubbed
    results = [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}]
    stubber.add_response("put_events", {"FailedEntryCount": 1, "Entries": results})
    assert publisher._put_all([_entry("a"), _entry("b")]) == [None, EventRefusal("ThrottlingException", for_good=False)]


def test_events_too_large_for_one_call_are_split_over_several(stubbed: tuple[EventPublisher, Stubber]) -> None:
    publisher, stubber = stubbed
    half = "\N{MUSICAL SYMBOL G CLEF}" * (MOST_BYTES_A_CALL // 8)  # four bytes each
    entries = [_entry(half), _entry("b"), _entry(half), _entry("d")]
    for together in (entries[:2], entries[2:]):
        accepted = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}] * 2}
        stubber.add_response("put_events", accepted, {"Entries": together})
    assert publisher._put_all(entries) == [None] * 4
    stubber.assert_no_pending_responses()


def _entry(detail: str) -> "PutEventsRequestEntryTypeDef":
    return {"EventBusName": "a-bus", "Source": "song-intake", "DetailType": "Song Submitted", "Detail": detail}
