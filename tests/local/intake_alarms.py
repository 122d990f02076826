"""The alarms of a deployed intake on the metrics that its functions log: which of them fire from a moment on."""

import time
from collections.abc import Sequence

from tests.local.cloud.alarms import Alarm, Measurement, fired, measurements_in
from tests.local.intake import Intake
from tests.local.waiting import wait_for

NAMESPACE = "SongIntake"


class AlarmWatch:
    """Watches the stack from its construction on. The names of alarms are those of the template."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._since = time.time()
        self._alarms = _alarms_of(intake)

    def fired(self) -> set[str]:
        """The alarms that have fired so far."""
        return fired(self._alarms, self._measurements())

    def wait_for(self, *names: str) -> None:
        """Returns when all of these have fired. Raises AssertionError if any other has."""
        wait_for(lambda: self.fired() >= set(names), f"{', '.join(names)} to fire")
        assert self.fired() == set(names)

    def assert_quiet(self, metric: str) -> None:
        """Raises AssertionError if any alarm has fired, or if this metric was not measured: then nothing would fire."""
        assert metric in {one.name for one in self._measurements()}
        assert self.fired() == set()

    def _measurements(self) -> Sequence[Measurement]:
        return [one for one in measurements_in(self._intake.log(self._since)) if one.at >= self._since]


def _alarms_of(intake: Intake) -> list[Alarm]:
    names = {physical: logical for logical, physical in intake.stack.resources.items()}
    pages = intake.cloud.client("cloudwatch").get_paginator("describe_alarms").paginate()
    described = [one for page in pages for one in page["MetricAlarms"] if one["AlarmName"] in names]
    alarms = [Alarm.of(names[one["AlarmName"]], one) for one in described if one["Namespace"] == NAMESPACE]
    assert alarms, "the stack has no alarm on its own metrics"
    return alarms
