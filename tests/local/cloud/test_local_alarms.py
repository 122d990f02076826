"""An alarm of the local cloud publishes as CloudWatch does: only where the topic's policy lets it, and on record."""

import json
import uuid
from typing import Any

import pytest

from tests.local.cloud.cloud import Cloud

OF_CLOUDWATCH = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}
OF_EVENTS = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish"}


@pytest.mark.parametrize(("statement", "result"), [(OF_CLOUDWATCH, "Successfully executed"), (OF_EVENTS, "Failed to")])
def test_an_alarm_needs_a_statement_for_cloudwatch(cloud: Cloud, statement: dict[str, object], result: str) -> None:
    name, sns, cloudwatch = f"alarm-{uuid.uuid4().hex}", cloud.client("sns"), cloud.client("cloudwatch")
    topic = sns.create_topic(Name=name)["TopicArn"]
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": topic}]}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
    _put_alarm(cloudwatch, name, topic)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")
    (action,) = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
    assert action["HistorySummary"].startswith(result)
    assert topic in action["HistorySummary"]


def _put_alarm(cloudwatch: Any, name: str, topic: str) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        AlarmActions=[topic],
        Namespace="Tests",
        MetricName="Any",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
