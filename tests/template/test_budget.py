"""The alarms on a budget: there are some only where a limit is set."""

import pytest

from song_intake.outgoing.metrics import BUDGET_USED, SENDER_BUDGET_USED
from tests.template.transformed import Json, resources, text_of

METRICS = {"CreatesPerDay": BUDGET_USED, "CreatesPerDayAndSender": SENDER_BUDGET_USED}


def budget_alarms(**parameters: int) -> list[Json]:
    return [
        resource["Properties"]
        for resource in resources(**parameters).values()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and resource["Properties"]["MetricName"] in METRICS.values()
    ]


def test_without_a_limit_there_is_no_alarm_on_it() -> None:
    assert budget_alarms() == []


@pytest.mark.parametrize("parameter", METRICS)
def test_a_limit_has_an_alarm_at_80_percent_and_one_at_its_end(parameter: str) -> None:
    alarms = budget_alarms(**{parameter: 1})
    assert [(alarm["MetricName"], alarm["Threshold"]) for alarm in alarms] == [
        (METRICS[parameter], 80),
        (METRICS[parameter], 100),
    ]


def test_an_alarm_on_a_limit_is_a_level_of_the_stack_and_tells_the_topic() -> None:
    alarms = budget_alarms(CreatesPerDay=1, CreatesPerDayAndSender=1)
    assert len(alarms) == 4
    for alarm in alarms:
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
        assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Maximum", 60, 1)
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert alarm["TreatMissingData"] == "ignore", "the last value counts until the next create"
        assert "make usage" in text_of(alarm["AlarmDescription"])
