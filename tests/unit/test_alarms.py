"""The evaluation of CloudWatch alarms that the end-to-end tests use."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.local.cloud.alarms import Alarm, Dimensions, Measurement, Missing, State, fired, measurements_in

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
OK, FIRES, NO_DATA = State.OK, State.ALARM, State.INSUFFICIENT_DATA
KEPT = None
FIRED = {"InDoubtAlarm"}
QUIET: set[str] = set()

# The tables of "Configuring how CloudWatch alarms treat missing data": five periods, the newest last ("-": no data,
# "0": all is well, "X": it breaches), then the state for missing, ignore, breaching and notBreaching.
TABLES = [
    (THREE_OF_THREE, "0-X-X", OK, OK, OK, OK),
    (THREE_OF_THREE, "0----", OK, OK, OK, OK),
    (THREE_OF_THREE, "-----", NO_DATA, KEPT, FIRES, OK),
    (THREE_OF_THREE, "0XX-X", FIRES, FIRES, FIRES, FIRES),
    (THREE_OF_THREE, "--X--", FIRES, KEPT, FIRES, OK),
    (THREE_OF_THREE, "----X", KEPT, KEPT, FIRES, OK),
    (TWO_OF_THREE, "0-X-X", FIRES, FIRES, FIRES, FIRES),
    (TWO_OF_THREE, "00X0X", FIRES, FIRES, FIRES, FIRES),
    (TWO_OF_THREE, "0-X--", OK, OK, FIRES, OK),
    (TWO_OF_THREE, "----0", OK, OK, FIRES, OK),
    (TWO_OF_THREE, "---X-", FIRES, KEPT, FIRES, OK),
    (ALARM, "X-0", OK, OK, OK, OK),
    (ALARM, "0-X", FIRES, FIRES, FIRES, FIRES),
    (ALARM, "X--", FIRES, FIRES, FIRES, FIRES),
    (ALARM, "---", NO_DATA, KEPT, FIRES, OK),
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
    ("changed", "measurements", "names"),
    [
        pytest.param({}, [measured(1)], FIRED, id="one"),
        pytest.param({}, [measured(0)], QUIET, id="none"),
        pytest.param({}, [], QUIET, id="no data"),
        pytest.param({}, [measured(1, name="Submitted")], QUIET, id="another metric"),
        pytest.param({"namespace": "AWS/Lambda"}, [measured(1)], QUIET, id="another namespace"),
        pytest.param({}, [measured(1, service="other")], QUIET, id="another stack"),
        pytest.param({}, [measured(1, service="stack", reason="A")], QUIET, id="one dimension more"),
        pytest.param({"threshold": 3.0}, [measured(1, 2)], FIRED, id="a sum of a line"),
        pytest.param({"threshold": 3.0}, [measured(1), measured(2, second=59)], FIRED, id="a sum of a period"),
        pytest.param({"threshold": 3.0}, [measured(1), measured(2, second=60)], QUIET, id="of two periods"),
        pytest.param({"comparison": "GreaterThanThreshold"}, [measured(1)], QUIET, id="greater"),
        pytest.param({"comparison": "LessThanThreshold"}, [measured(1)], QUIET, id="less"),
        pytest.param({"comparison": "LessThanOrEqualToThreshold"}, [measured(1)], FIRED, id="less or equal"),
        pytest.param({"statistic": "Maximum", "threshold": 3.0}, [measured(1, 2)], QUIET, id="maximum"),
        pytest.param({"statistic": "Minimum", "threshold": 2.0}, [measured(1, 2)], QUIET, id="minimum"),
        pytest.param({"statistic": "Average", "threshold": 1.5}, [measured(1, 2)], FIRED, id="average"),
        pytest.param({"statistic": "SampleCount", "threshold": 2.0}, [measured(0, 0)], FIRED, id="count"),
        pytest.param({"to_alarm": 2, "evaluated": 2}, [measured(1), measured(1, second=60)], FIRED, id="2 of 2"),
        pytest.param({"to_alarm": 2, "evaluated": 2}, [measured(1), measured(1, second=60 * 6)], QUIET, id="long ago"),
    ],
)
def test_an_alarm_fires_for_its_own_metric_over_its_threshold(
    changed: dict[str, Any], measurements: list[Measurement], names: set[str]
) -> None:
    assert fired([replace(ALARM, **changed)], measurements) == names


def test_an_alarm_without_further_data_ends_unless_it_keeps_its_state() -> None:
    measurements = [measured(1)]
    assert ALARM.states(measurements) == [FIRES, FIRES, FIRES, OK]
    assert replace(ALARM, missing=Missing.IGNORE).states(measurements)[-1] is FIRES
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
