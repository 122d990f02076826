"""An EventBridge bus in memory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jsonschema_rs

from song_intake.outgoing.events import ACCOUNT_FAULT
from tests.local.contract import closed_event_schema
from tests.properties.simulation.dynamodb import failed, no_answer, unavailable
from tests.properties.simulation.faults import Fault, Step, Steps


@dataclass(frozen=True, slots=True)
class Event:
    kind: str
    """The detail type."""
    detail: Mapping[str, Any]


@dataclass(slots=True)
class Bus:
    """Every event that was published, repeats included."""

    events: list[Event] = field(default_factory=list)

    def has(self, task_id: str | None, kind: str) -> bool:
        return any(event.kind == kind and event.detail.get("task_id") == task_id for event in self.events)

    def not_as_published(self) -> list[Event]:
        """The song events that have other fields or reasons than the published schema gives their type."""
        songs = [event for event in self.events if event.kind != ACCOUNT_FAULT]
        return [event for event in songs if not _closed_schema().is_valid(event.detail)]


@cache
def _closed_schema() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(closed_event_schema())


class SimulatedEvents:
    """The EventBridge client of the function."""

    def __init__(self, steps: Steps, bus: Bus) -> None:
        self._steps = steps
        self._bus = bus

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> dict[str, object]:  # noqa: N803 - boto3's name
        fault = self._steps.before(Step.EVENT)
        if fault is Fault.NOT_TAKEN:
            raise unavailable("PutEvents")
        if fault is Fault.FORBIDDEN:
            raise failed("AccessDeniedException", "PutEvents")
        for entry in Entries:
            self._bus.events.append(Event(str(entry["DetailType"]), json.loads(entry["Detail"])))
        if fault is Fault.ANSWER_LOST:
            raise no_answer()
        return {"FailedEntryCount": 0, "Entries": []}
