"""What becomes of a request, announced on the stack's EventBridge bus: at least once, each repeat under the same id.

An event is put after the row says it and before the message is acknowledged, so a death in between repeats the event
and never loses it. `song_event.schema.json` is the published form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from song_intake.aws_failure import AWS_FAILURES, code_of
from song_intake.group_commit import GroupCommit
from song_intake.reason import Reason
from song_intake.undone import Undone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

    from song_intake.task_state import Clip

SOURCE = "song-intake"
VERSION = "1"

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-send-events-aws-sdk
MOST_ENTRIES = 10
MOST_BYTES = 256 * 1024
# Names, source and detail type of an entry count as well.
_BESIDE_THE_DETAIL = 512


class AnnouncementFailed(Undone):
    """The bus did not take the event."""

    reason = Reason.EVENTS_UNAVAILABLE


class Happening(StrEnum):
    """The detail types."""

    SUBMITTED = "Song Submitted"
    SUCCEEDED = "Song Succeeded"
    FAILED = "Song Failed"
    REJECTED = "Song Rejected"
    IN_DOUBT = "Song In Doubt"


@dataclass(frozen=True, slots=True)
class Announcement:
    """One event. `occasion` tells two events of one request and kind apart: a task's id, or a message's."""

    happening: Happening
    request_id: str | None
    occasion: str
    task_id: str | None = None
    reason: Reason | None = None
    detail: str | None = None
    vendor_code: str | None = None
    refunded: bool | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    clips: tuple[Clip, ...] = ()

    @property
    def event_id(self) -> str:
        """The same for every repeat of this event, so that a consumer can tell a repeat from news."""
        return f"{self.request_id or '-'}/{self.happening.name}/{self.occasion}"

    def as_detail(self) -> dict[str, object]:
        """What is known of it, as the event's detail."""
        told: dict[str, object] = {
            "version": VERSION,
            "id": self.event_id,
            "request_id": self.request_id,
            "task_id": self.task_id,
            "status": self.happening.name,
            "reason": self.reason,
            "detail": self.detail,
            "vendor_code": self.vendor_code,
            "refunded": self.refunded,
            "metadata": dict(self.metadata),
            "clips": [_known(asdict(clip)) for clip in self.clips],
        }
        return _known(told)


class Announcer:
    """Safe to share between threads, whose events of one moment go in one call."""

    def __init__(self, events: EventBridgeClient, bus_name: str) -> None:
        self._events = events
        self._bus_name = bus_name
        self._group = GroupCommit(self._put_all, MOST_ENTRIES)

    def announce(self, announcement: Announcement) -> None:
        """Raises AnnouncementFailed."""
        refusal = self._group.take(
            {
                "EventBusName": self._bus_name,
                "Source": SOURCE,
                "DetailType": announcement.happening,
                "Detail": json.dumps(announcement.as_detail(), ensure_ascii=False),
            }
        )
        if refusal is not None:
            raise AnnouncementFailed(refusal)

    def _put_all(self, entries: Sequence[PutEventsRequestEntryTypeDef]) -> list[str | None]:
        """Why each was refused; None for one that was taken."""
        return [refusal for call in _calls(entries) for refusal in self._put(call)]

    def _put(self, entries: Sequence[PutEventsRequestEntryTypeDef]) -> list[str | None]:
        try:
            answer = self._events.put_events(Entries=entries)
        except AWS_FAILURES as failure:
            refused: list[str | None] = [code_of(failure)] * len(entries)
            return refused
        # PutEvents answers 200 though it took none: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
        if not answer["FailedEntryCount"]:
            return [None] * len(entries)
        return [None if "EventId" in said else said.get("ErrorCode", "PutEvents") for said in answer["Entries"]]


def _calls(entries: Sequence[PutEventsRequestEntryTypeDef]) -> Iterator[list[PutEventsRequestEntryTypeDef]]:
    """As many as one call may carry: clips can make an event large."""
    call: list[PutEventsRequestEntryTypeDef] = []
    size = 0
    for entry in entries:
        more = len(entry.get("Detail", "").encode()) + _BESIDE_THE_DETAIL
        if call and size + more > MOST_BYTES:
            yield call
            call, size = [], 0
        call.append(entry)
        size += more
    yield call


def _known(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
