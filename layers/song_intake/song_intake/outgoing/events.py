"""Publishes events on the stack's EventBridge bus, at least once; each repeat has the same id.

An event is published after the row is written and before the message is acknowledged. So a crash in between repeats the
event, but never loses it. `song_event.schema.json` is the published form of the song events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING

from song_intake.aws.failure import AWS_FAILURES, code_of, is_refusal
from song_intake.aws.group_commit import GroupCommit
from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

    from song_intake.domain.recording import Recording
    from song_intake.domain.task import Clip
    from song_intake.domain.trace import Trace

SONG_SOURCE = "song-intake"
VERSION = "1"

# Not the songs' source: consumers of song events rely on the schema of those.
ACCOUNT_SOURCE = "song-intake.account"
ACCOUNT_FAULT = "Account Fault"

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-send-events-aws-sdk
MOST_EVENTS_A_CALL = 10
MOST_BYTES_A_CALL = 256 * 1024
# The codes of an entry that would be refused again.
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
_FOR_GOOD = frozenset(
    (
        "AccessDeniedException",
        "InvalidAccountIdException",
        "InvalidArgument",
        "MalformedDetail",
        "NotAuthorizedForDetailTypeException",
        "NotAuthorizedForSourceException",
        "RedactionFailure",
    )
)
# Bytes for the other members of an entry, which count too: the bus name, the source, the detail type and the trace.
_BESIDE_THE_DETAIL = 512


class EventType(StrEnum):
    """The detail types of the song events."""

    SUBMITTED = "Song Submitted"
    SUCCEEDED = "Song Succeeded"
    FAILED = "Song Failed"
    REJECTED = "Song Rejected"
    KEPT = "Song Kept"
    NOT_KEPT = "Song Not Kept"
    IN_DOUBT = "Song In Doubt"
    MESSAGE_REJECTED = "Message Rejected"


@frozen
class SongEvent:
    """One event. dedup_key: the id of a task or a message, so that two events of one request and type have two ids."""

    event_type: EventType
    request_id: str | None
    dedup_key: str
    task_id: str | None = None
    reason: Reason | None = None
    detail: str | None = None
    vendor_code: str | None = None
    refunded: bool | None = None
    metadata: Mapping[str, str] | None = None
    clips: tuple[Clip, ...] = ()
    recordings: tuple[Recording, ...] | None = None
    """The copies of its recordings; None if this is no event about them."""
    message_id: str | None = None
    """The id of the message, as its sender got it."""
    by: str | None = None
    """The operator whose decision caused the event."""
    trace: Trace | None = None
    """The trace of the caller."""

    @property
    def event_id(self) -> str:
        """The same in every repeat of this event, so that a consumer can recognise a repeat."""
        return f"{self.request_id or '-'}/{self.event_type.name}/{self.dedup_key}"

    def as_detail(self) -> dict[str, object]:
        """The detail of the event: the members that are known."""
        members: dict[str, object] = {
            "version": VERSION,
            "id": self.event_id,
            "request_id": self.request_id,
            "message_id": self.message_id,
            "task_id": self.task_id,
            "status": self.event_type.name,
            "reason": self.reason,
            "detail": self.detail,
            "vendor_code": self.vendor_code,
            "refunded": self.refunded,
            "by": self.by,
            "trace_id": self.trace.trace_id if self.trace else None,
            "metadata": dict(self.metadata or {}),
            "clips": [_known(asdict(clip)) for clip in self.clips],
            "recordings": None if self.recordings is None else [_shown(one) for one in self.recordings],
        }
        return _known(members)


@frozen
class EventRefusal:
    """Why the bus did not accept an event: AWS's error code, and whether it would be refused again."""

    code: str
    for_good: bool


class EventPublisher:
    """Safe to share between threads; events published at the same moment share a call.

    on_refused: called with AWS's error code if the bus refused an event for good. The event is dropped then.
    """

    def __init__(
        self, events: EventBridgeClient, bus_name: str, on_refused: Callable[[str], None] = lambda _code: None
    ) -> None:
        self._events = events
        self._bus_name = bus_name
        self._on_refused = on_refused
        self._group = GroupCommit(self._put_all, MOST_EVENTS_A_CALL)

    def publish(self, event: SongEvent) -> None:
        """Publish one event. Raises SideEffectFailed if the bus did not accept it, and may accept it later."""
        detail = json.dumps(event.as_detail(), ensure_ascii=False)
        entry = _entry(self._bus_name, SONG_SOURCE, event.event_type, detail)
        if event.trace:
            entry["TraceHeader"] = event.trace.xray_header
        refusal = self._group.submit(entry)
        if refusal is None:
            return
        if not refusal.for_good:
            raise SideEffectFailed(Reason.EVENTS_UNAVAILABLE, refusal.code)
        self._on_refused(refusal.code)

    def _put_all(self, entries: Sequence[PutEventsRequestEntryTypeDef]) -> list[EventRefusal | None]:
        return [refusal for call in _calls(entries) for refusal in self._put_each(call)]

    def _put_each(self, call: Sequence[PutEventsRequestEntryTypeDef]) -> list[EventRefusal | None]:
        """A call may be refused for good because of one event: then each event has a call of its own."""
        refusals = _put(self._events, call)
        if len(call) == 1 or not all(refusal and refusal.for_good for refusal in refusals):
            return refusals
        return [refusal for entry in call for refusal in _put(self._events, [entry])]


class AccountFaultPublisher:
    """Publishes an account fault; a rule on the bus invokes switch_intake. Safe to share between threads.

    submit_song does not invoke switch_intake itself: switch_intake needs the id of submit_song's mapping, so the two
    functions would refer to each other.

    on_refusal: called with AWS's error code if the bus did not accept the event. The request is retried in any case,
    and the next request that finds the fault publishes it again.
    """

    def __init__(self, events: EventBridgeClient, bus_name: str, on_refusal: Callable[[str], None]) -> None:
        self._events = events
        self._bus_name = bus_name
        self._on_refusal = on_refusal

    def __call__(self, reason: Reason, until: float | None) -> bool:
        """Whether the bus accepted the event. `until`: seconds since 1970 until which the fault lasts, if known."""
        detail = json.dumps(_known({"reason": reason, "until": until}))
        entry = _entry(self._bus_name, ACCOUNT_SOURCE, ACCOUNT_FAULT, detail)
        (refusal,) = _put(self._events, [entry])
        if refusal is not None:
            self._on_refusal(refusal.code)
        return refusal is None


def _entry(bus_name: str, source: str, detail_type: str, detail: str) -> PutEventsRequestEntryTypeDef:
    return {"EventBusName": bus_name, "Source": source, "DetailType": detail_type, "Detail": detail}


def _put(events: EventBridgeClient, entries: Sequence[PutEventsRequestEntryTypeDef]) -> list[EventRefusal | None]:
    """The refusal of each event; None for an event that was accepted."""
    try:
        response = events.put_events(Entries=entries)
    except AWS_FAILURES as failure:
        refused: list[EventRefusal | None] = [EventRefusal(code_of(failure), is_refusal(failure))] * len(entries)
        return refused
    # PutEvents returns 200 even if it refused every entry:
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
    if not response["FailedEntryCount"]:
        return [None] * len(entries)
    codes = [None if "EventId" in result else result.get("ErrorCode", "PutEvents") for result in response["Entries"]]
    return [None if code is None else EventRefusal(code, code in _FOR_GOOD) for code in codes]


def _calls(entries: Sequence[PutEventsRequestEntryTypeDef]) -> Iterator[list[PutEventsRequestEntryTypeDef]]:
    """Distributes the entries over as few calls as the size limit allows: an event with clips may be large."""
    call: list[PutEventsRequestEntryTypeDef] = []
    size = 0
    for entry in entries:
        more = len(entry.get("Detail", "").encode()) + _BESIDE_THE_DETAIL
        if call and size + more > MOST_BYTES_A_CALL:
            yield call
            call, size = [], 0
        call.append(entry)
        size += more
    yield call


def _known(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _shown(recording: Recording) -> dict[str, object]:
    return {**asdict(recording), "uri": recording.uri}
