"""An EventBridge bus in memory."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.properties.simulation.dynamodb import no_answer, unavailable
from tests.properties.simulation.faults import Fault, Step, Steps


class SimulatedEvents:
    """The EventBridge client of the function. What it took is kept: by task and kind of event."""

    def __init__(self, steps: Steps, announced: set[tuple[str | None, str]]) -> None:
        self._steps = steps
        self._announced = announced

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> dict[str, object]:  # noqa: N803 - boto3's name
        fault = self._steps.before(Step.EVENT)
        if fault is Fault.NOT_TAKEN:
            raise unavailable("PutEvents")
        for entry in Entries:
            self._announced.add((json.loads(entry["Detail"]).get("task_id"), entry["DetailType"]))
        if fault is Fault.ANSWER_LOST:
            raise no_answer()
        return {"FailedEntryCount": 0, "Entries": []}
