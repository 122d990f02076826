"""An EventBridge bus in memory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
