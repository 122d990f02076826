"""The evaluation of CloudWatch alarms that the end-to-end tests use."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.local.cloud.alarms import Alarm, Dimensions, Measurement, Missing, State, measurements_in, rung

NOON = 1_700_000_000 // 60 * 60
OF_THE_STACK: Dimensions = frozenset({("service", "stack")})
ALARM = Alarm(
    name="InDoubtAlarm",
    namespace="SongIntake",
    metric="InDoubt",
    dimensions=OF_THE_STACK,
    statistic="Sum",
    period=60,
    evaluated=1,
    to_alarm=1,
    threshold=1,
    comparison="GreaterThanOrEqualToThreshold",
    missing=Missing.NOT_BREACHING,
)
THREE_OF_THREE = replace(ALARM, evaluated=3, to_alarm=3)
TWO_OF_THREE = replace(ALARM, evaluated=3, to_alarm=2)
OK, RINGS, NO_DATA = State.OK, State.ALARM, State.INSUFFICIENT_DATA
KEPT = None

# The tables of "Configuring how CloudWatch alarms treat missing data": five periods, the newest last ("-": no data,
# "0": all is well, "X": it breaches), then the state for missing, ignore, breaching and notBreaching.
TABLES = [
    (THREE_OF_THREE, "0-X-X", OK, OK, OK, OK),
    (THREE_OF_THREE, "0----", OK, OK, OK, OK),
    (THREE_OF_THREE, "-----", NO_DATA, KEPT, RINGS, OK),
    (THREE_OF_THREE, "0XX-X", RINGS, RINGS, RINGS, RINGS),
    (THREE_OF_THREE, "--X--", RINGS, KEPT, RINGS, OK),
    (THREE_OF_THREE, "----X", KEPT, KEPT, RINGS, OK),
    (TWO_OF_THREE, "0-X-X", RINGS, RINGS, RINGS, RINGS),
    (TWO_OF_THREE, "00X0X", RINGS, RINGS, RINGS, RINGS),
    (TWO_OF_THREE, "0-X--", OK, OK, RINGS, OK),
    (TWO_OF_THREE, "----0", OK, OK, RINGS, OK),
    (TWO_OF_THREE, "---X-", RINGS, KEPT, RINGS, OK),
    (ALARM, "X-0", OK, OK, OK, OK),
    (ALARM, "0-X", RINGS, RINGS, RINGS, RINGS),
    (ALARM, "X--", RINGS, RINGS, RINGS, RINGS),
    (ALARM, "---", NO_DATA, KEPT, RINGS, OK),
]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize(("column", "missing"), list(enumerate(Missing)))
@pytest.mark.parametrize("row", TABLES, ids=lambda row: f"{row[0].to_alarm} of {row[0].evaluated}: {row[1]}")
def test_missing_data_counts_as_the_alarm_says(
    row: tuple[Alarm, str, *tuple[State | None, ...]], column: int, missing: Missing, state: State
) -> None:
    alarm, periods, *states = row
    breaches = [{"-": None, "0": False, "X": True}[period] for period in periods]
    assert replace(alarm, missing=missing).after(breaches, state) is (states[column] or state)


def measured(*values: float, second: float = 0, name: str = "InDoubt", **dimensions: str) -> Measurement:
    given = frozenset(dimensions.items()) or OF_THE_STACK
    return Measurement("SongIntake", name, given, NOON + second, values)


@pytest.mark.parametrize(
    ("changed", "measurements", "rings"),
    [
        pytest.param({}, [measured(1)], True, id="one"),
        pytest.param({}, [measured(0)], False, id="none"),
        pytest.param({}, [], False, id="no data"),
        pytest.param({}, [measured(1, name="Submitted")], False, id="another metric"),
        pytest.param({"namespace": "AWS/Lambda"}, [measured(1)], False, id="another namespace"),
        pytest.param({}, [measured(1, service="other")], False, id="another stack"),
        pytest.param({}, [measured(1, service="stack", reason="A")], False, id="one dimension more"),
        pytest.param({"threshold": 3.0}, [measured(1, 2)], True, id="a sum of a line"),
        pytest.param({"threshold": 3.0}, [measured(1), measured(2, second=59)], True, id="a sum of a period"),
        pytest.param({"threshold": 3.0}, [measured(1), measured(2, second=60)], False, id="of two periods"),
        pytest.param({"comparison": "GreaterThanThreshold"}, [measured(1)], False, id="greater"),
        pytest.param({"comparison": "LessThanThreshold"}, [measured(1)], False, id="less"),
        pytest.param({"comparison": "LessThanOrEqualToThreshold"}, [measured(1)], True, id="less or equal"),
        pytest.param({"statistic": "Maximum", "threshold": 3.0}, [measured(1, 2)], False, id="maximum"),
        pytest.param({"statistic": "Minimum", "threshold": 2.0}, [measured(1, 2)], False, id="minimum"),
        pytest.param({"statistic": "Average", "threshold": 1.5}, [measured(1, 2)], True, id="average"),
        pytest.param({"statistic": "SampleCount", "threshold": 2.0}, [measured(0, 0)], True, id="count"),
        pytest.param({"to_alarm": 2, "evaluated": 2}, [measured(1), measured(1, second=60)], True, id="2 of 2"),
        pytest.param({"to_alarm": 2, "evaluated": 2}, [measured(1), measured(1, second=60 * 6)], False, id="long ago"),
    ],
)
def test_an_alarm_rings_for_its_own_metric_over_its_threshold(
    changed: dict[str, Any], measurements: list[Measurement], rings: bool
) -> None:
    assert rung([replace(ALARM, **changed)], measurements) == ({"InDoubtAlarm"} if rings else set())


def test_an_alarm_without_further_data_ends_unless_it_keeps_its_state() -> None:
    measurements = [measured(1)]
    assert ALARM.states(measurements) == [RINGS, RINGS, RINGS, OK]
    assert replace(ALARM, missing=Missing.IGNORE).states(measurements)[-1] is RINGS
    assert replace(ALARM, missing=Missing.MISSING).states(measurements)[-1] is NO_DATA
    assert ALARM.states([measured(1), measured(0, second=60)])[1] is OK


def test_an_alarm_is_read_from_its_properties() -> None:
    properties = {
        "Namespace": "SongIntake",
        "MetricName": "InDoubt",
        "Dimensions": [{"Name": "service", "Value": "stack"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    assert Alarm.of("InDoubtAlarm", properties) == ALARM
    of_two = Alarm.of("InDoubtAlarm", {**properties, "EvaluationPeriods": 3, "DatapointsToAlarm": 2})
    assert (of_two.evaluated, of_two.to_alarm) == (3, 2)
    del properties["TreatMissingData"]
    assert Alarm.of("InDoubtAlarm", properties).missing is Missing.MISSING


def test_each_set_of_dimensions_in_a_line_is_a_metric_of_its_own() -> None:
    directive = {
        "Namespace": "SongIntake",
        "Dimensions": [["service"], ["service", "reason"]],
        "Metrics": [{"Name": "InDoubt", "Unit": "Count"}, {"Name": "Retried", "Unit": "Count"}],
    }
    line = {
        "_aws": {"Timestamp": NOON * 1000, "CloudWatchMetrics": [directive]},
        "service": "stack",
        "reason": "A",
        "InDoubt": [1.0, 2.0],
        "Retried": 3,
    }
    log = f'plain text\n{{"level": "INFO"}}\n{json.dumps(line)}\n'
    assert measurements_in(log) == [
        measured(1, 2),
        measured(3, name="Retried"),
        measured(1, 2, service="stack", reason="A"),
        measured(3, name="Retried", service="stack", reason="A"),
    ]
