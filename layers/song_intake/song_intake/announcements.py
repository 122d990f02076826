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
from song_intake.reason import Reason
from song_intake.undone import Undone

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

    from song_intake.task_state import Clip

SOURCE = "song-intake"
VERSION = "1"


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
    """Safe to share between threads."""

    def __init__(self, events: EventBridgeClient, bus_name: str) -> None:
        self._events = events
        self._bus_name = bus_name

    def announce(self, announcement: Announcement) -> None:
        """Raises AnnouncementFailed."""
        try:
            answer = self._events.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus_name,
                        "Source": SOURCE,
                        "DetailType": announcement.happening,
                        "Detail": json.dumps(announcement.as_detail(), ensure_ascii=False),
                    }
                ]
            )
        except AWS_FAILURES as failure:
            raise AnnouncementFailed(code_of(failure)) from None
        # PutEvents answers 200 though it took none: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
        if answer["FailedEntryCount"]:
            raise AnnouncementFailed(answer["Entries"][0].get("ErrorCode", "PutEvents"))


def _known(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
