"""CloudWatch alarms, evaluated from the metrics that functions write to their logs (EMF).

The local cloud keeps alarms and logs, but evaluates nothing. The rules are those of CloudWatch's user guide:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import json
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

Dimensions = frozenset[tuple[str, str]]

STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": lambda values: sum(values) / len(values),
    "SampleCount": len,
}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}

# CloudWatch retrieves more periods than it evaluates. How many more is not documented; its examples have two.
EXTRA_PERIODS = 2


class State(StrEnum):
    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """TreatMissingData."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


@dataclass(frozen=True, slots=True)
class Measurement:
    """The values of one metric in one line of a log. A metric is its namespace, its name and all its dimensions."""

    namespace: str
    name: str
    dimensions: Dimensions
    at: float
    """Seconds since 1970."""
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    name: str
    namespace: str
    metric: str
    dimensions: Dimensions
    statistic: str
    period: int
    """Seconds."""
    evaluated: int
    """How many periods are evaluated, and `to_alarm`: how many of them must breach."""
    to_alarm: int
    threshold: float
    comparison: str
    missing: Missing

    @classmethod
    def of(cls, name: str, properties: Mapping[str, Any]) -> Self:
        """From the properties of a template, or from DescribeAlarms: their names are the same."""
        evaluated = int(properties["EvaluationPeriods"])
        return cls(
            name=name,
            namespace=properties["Namespace"],
            metric=properties["MetricName"],
            dimensions=frozenset((one["Name"], one["Value"]) for one in properties.get("Dimensions", [])),
            statistic=properties["Statistic"],
            period=int(properties["Period"]),
            evaluated=evaluated,
            to_alarm=int(properties.get("DatapointsToAlarm") or evaluated),
            threshold=float(properties["Threshold"]),
            comparison=properties["ComparisonOperator"],
            missing=Missing(properties.get("TreatMissingData", "missing")),
        )

    def states(self, measurements: Iterable[Measurement]) -> list[State]:
        """The state after each period, from the first measurement of the metric to the end of the last one's range."""
        periods = self._periods(measurements)
        if not periods:
            return []
        reach = self.evaluated + EXTRA_PERIODS
        state, states = State.INSUFFICIENT_DATA, []
        for last in range(min(periods), max(periods) + reach + 1):
            state = self.after([periods.get(period) for period in range(last - reach + 1, last + 1)], state)
            states.append(state)
        return states

    def after(self, breaches: Sequence[bool | None], state: State) -> State:
        """The state after `state`. breaches: by period, the oldest first, whether it breaches; None without data."""
        known = [breach for breach in breaches if breach is not None][-self.evaluated :]
        filled, breaching = self.evaluated - len(known), sum(known)
        if filled > 0 and self.missing is Missing.BREACHING:
            breaching += filled
        if breaching >= self.to_alarm:
            return State.ALARM
        if filled == 0 or self.missing in (Missing.BREACHING, Missing.NOT_BREACHING):
            return State.OK
        return self._after_few(breaches, known, state)

    def _after_few(self, breaches: Sequence[bool | None], known: Sequence[bool], state: State) -> State:
        """The state if there is less data than is evaluated, and a period without data counts as neither."""
        if not known:
            return state if self.missing is Missing.IGNORE else State.INSUFFICIENT_DATA
        if not all(known):
            return State.OK
        # "Avoiding premature transitions": a period that breaches, and nothing better since, fires once it is old
        # enough. Until then the next period may still show that all is well.
        age = len(breaches) - list(breaches).index(True)
        return State.ALARM if self.missing is Missing.MISSING and age >= self.to_alarm else state

    def _periods(self, measurements: Iterable[Measurement]) -> dict[int, bool]:
        """Whether each period with data breaches, by the number of the period."""
        values: dict[int, list[float]] = {}
        for one in measurements:
            if (one.namespace, one.name, one.dimensions) == (self.namespace, self.metric, self.dimensions):
                values.setdefault(int(one.at // self.period), []).extend(one.values)
        statistic, breaches = STATISTICS[self.statistic], COMPARISONS[self.comparison]
        return {period: breaches(statistic(found), self.threshold) for period, found in values.items()}


def fired(alarms: Iterable[Alarm], measurements: Sequence[Measurement]) -> set[str]:
    """The names of the alarms that these measurements set off."""
    return {alarm.name for alarm in alarms if State.ALARM in alarm.states(measurements)}


def measurements_in(log: str) -> list[Measurement]:
    """What the EMF lines of a log measure; other lines are passed over, as CloudWatch Logs does."""
    return [one for line in log.splitlines() if '"_aws"' in line for one in _measurements_of(json.loads(line))]


def _measurements_of(line: Mapping[str, Any]) -> Iterator[Measurement]:
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, line[name]) for name in names)
            for metric in directive["Metrics"]:
                found = line[metric["Name"]]
                values = tuple(found) if isinstance(found, list) else (found,)
                at = line["_aws"]["Timestamp"] / 1000
                yield Measurement(directive["Namespace"], metric["Name"], dimensions, at, values)
