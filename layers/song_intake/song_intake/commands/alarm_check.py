"""Checks that the alarms can publish on their topic: by what they did lately, or by one that is set and reset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from song_intake.commands.checkup import CheckFailed, Finding, failed, passed

if TYPE_CHECKING:
    from song_intake.commands.deployed import DeployedStack

_RECENT_DAYS = 7

_TESTED_ALARM = "ResolveSongErrorsAlarm"
"""Set to ALARM if no alarm published lately. Its topic sends one mail, and the next evaluation resets it anyway."""

_REASON = "A test by make doctor: nothing is wrong."

_SUCCESS = "Successfully executed action"


def check_alarms(stack: DeployedStack) -> Finding:
    """Whether every alarm has its action, somebody receives it, and CloudWatch can publish it."""
    cloudwatch, topic = stack.session.client("cloudwatch"), stack.outputs["AlarmTopicArn"]
    alarms = _alarms_of(stack, cloudwatch)
    silent = [
        alarm["AlarmName"] for alarm in alarms if not alarm["ActionsEnabled"] or topic not in alarm["AlarmActions"]
    ]
    if silent:
        return failed(
            f"{len(silent)} alarms have no action, such as {silent[0]}: enable their actions, or deploy again"
        )
    proof = next(filter(None, (_last_action(cloudwatch, alarm["AlarmName"], topic) for alarm in alarms)), None)
    if proof is None or not proof.startswith(_SUCCESS):
        proof = _tested(stack, cloudwatch, topic)
        how = f"{_TESTED_ALARM} was set to ALARM and reset"
    else:
        how = f"one did in the last {_RECENT_DAYS} days"
    if not proof.startswith(_SUCCESS):
        return failed(f"{proof}: correct the policy of AlarmTopic and of AlarmKey, or deploy again")
    return passed(f"{len(alarms)} alarms can publish ({how}); {_receivers(stack, topic)}")


def _alarms_of(stack: DeployedStack, cloudwatch: Any) -> list[dict[str, Any]]:
    pages = stack.session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.name)
    names = [
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::CloudWatch::Alarm"
    ]
    alarms: list[dict[str, Any]] = cloudwatch.describe_alarms(AlarmNames=names, MaxRecords=100)["MetricAlarms"]
    if len(alarms) != len(names):
        raise CheckFailed(f"{len(names) - len(alarms)} alarms of the stack are gone: deploy again")
    return alarms


def _last_action(cloudwatch: Any, alarm: str, topic: str, since: datetime | None = None) -> str | None:
    """What CloudWatch reports about the last time that the alarm published."""
    items = cloudwatch.describe_alarm_history(
        AlarmName=alarm,
        HistoryItemType="Action",
        StartDate=since or datetime.now(UTC) - timedelta(days=_RECENT_DAYS),
    )["AlarmHistoryItems"]
    return next((str(item["HistorySummary"]) for item in items if topic in item["HistorySummary"]), None)


def _tested(stack: DeployedStack, cloudwatch: Any, topic: str) -> str:
    alarm = stack.resource_id(_TESTED_ALARM)
    # CloudWatch's clock may be behind this one.
    since = datetime.now(UTC) - timedelta(minutes=1)
    with _set(cloudwatch, alarm):
        action = stack.wait_for(lambda: _last_action(cloudwatch, alarm, topic, since))
    return (
        action or f"CloudWatch published nothing in {stack.waiting.short:.0f} s after {_TESTED_ALARM} was set to ALARM"
    )


@contextmanager
def _set(cloudwatch: Any, alarm: str) -> Iterator[None]:
    """Set an alarm, and reset it at the end, also after a failure."""
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason=_REASON)
    try:
        yield
    finally:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason=_REASON)


def _receivers(stack: DeployedStack, topic: str) -> str:
    subscriptions = stack.session.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    pending = sum(one["SubscriptionArn"] == "PendingConfirmation" for one in subscriptions)
    if pending:
        raise CheckFailed("an address has not confirmed its subscription: follow the link in the mail of SNS")
    return f"{len(subscriptions)} subscriptions" if subscriptions else "nobody is subscribed: set AlarmEmail"
