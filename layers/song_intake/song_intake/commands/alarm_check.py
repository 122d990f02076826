"""Checks that the alarms can publish on their topics: by what they did lately, or by one that is set and reset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from song_intake.commands.checkup import CheckFailed, Finding, failed, passed

if TYPE_CHECKING:
    from song_intake.commands.deployed import DeployedStack

# Several runs on one day cause one mail. A policy that was changed since is not noticed.
_RECENT_HOURS = 24

_TESTED_ALARMS = {
    "AlarmTopicArn": ("ResolveSongErrorsAlarm", "RedriveLettersErrorsAlarm"),
    "UrgentAlarmTopicArn": ("TaskNotRecordedAlarm", "NotificationsRefusedAlarm"),
}
"""By the output of their topic: the first of these that is not in ALARM is set for the test. One mail follows.

CloudWatch would reset it anyway.
"""

_REASON = "A test by make doctor: nothing is wrong."


@dataclass(frozen=True, slots=True)
class _Action:
    """One attempt of an alarm to publish, as CloudWatch reports it."""

    at: datetime
    summary: str

    @property
    def is_done(self) -> bool:
        return self.summary.startswith("Successfully executed action")


def check_alarms(stack: DeployedStack) -> Finding:
    """Whether every alarm has its action, and CloudWatch can publish on both topics."""
    # boto3's stubs of CloudWatch are not among the packages of the tests.
    cloudwatch: Any = stack.session.client("cloudwatch")
    topics = {stack.outputs[name]: name for name in _TESTED_ALARMS}
    alarms = _alarms_of(stack, cloudwatch)
    silent = [
        name
        for name, alarm in alarms.items()
        if not alarm["ActionsEnabled"] or topics.keys().isdisjoint(alarm["AlarmActions"])
    ]
    if silent:
        return failed(
            f"{len(silent)} alarms have no action, such as {silent[0]}: enable their actions, or deploy again"
        )
    how = [_how_it_publishes(stack, cloudwatch, topic, _TESTED_ALARMS[name], alarms) for topic, name in topics.items()]
    receivers = [_receivers(stack, topic) for topic in topics]
    return passed(f"{len(alarms)} alarms can publish ({_of_both(how)}); {_of_both(receivers)}")


def _of_both(texts: list[str]) -> str:
    """What applies to both topics, or to each, the urgent one last."""
    usual, urgent = texts
    return usual if usual == urgent else f"{usual}; urgent: {urgent}"


def _how_it_publishes(
    stack: DeployedStack, cloudwatch: Any, topic: str, tested: tuple[str, ...], alarms: Mapping[str, Mapping[str, Any]]
) -> str:
    """What shows that CloudWatch can publish on this topic. Raises CheckFailed if it cannot."""
    actions = [one for alarm in alarms.values() for one in _actions_of(cloudwatch, alarm["AlarmName"], topic)]
    how = f"one did in the last {_RECENT_HOURS} hours"
    if not actions or not _last_is_done(actions):
        name = next((name for name in tested if alarms[name]["StateValue"] != "ALARM"), None)
        if name is None:
            raise CheckFailed(f"{' and '.join(tested)} are in ALARM: see to their causes, then run the doctor again")
        actions = _tested(stack, cloudwatch, topic, alarms[name])
        how = f"{name} was set to ALARM and reset"
    if not _last_is_done(actions):
        raise CheckFailed(
            f"{actions[0].summary}: correct the policies of the alarm topics and of their KMS key, or deploy again"
        )
    return how


def _last_is_done(actions: list[_Action]) -> bool:
    last = max(action.at for action in actions)
    return all(action.is_done for action in actions if action.at == last)


def _alarms_of(stack: DeployedStack, cloudwatch: Any) -> dict[str, Mapping[str, Any]]:
    """The alarms by their logical ids."""
    pages = stack.session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.name)
    ids = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::CloudWatch::Alarm"
    }
    found = cloudwatch.describe_alarms(AlarmNames=list(ids.values()), MaxRecords=100)["MetricAlarms"]
    alarms = {alarm["AlarmName"]: alarm for alarm in found}
    if missing := [logical_id for logical_id, name in ids.items() if name not in alarms]:
        raise CheckFailed(f"{', '.join(missing)} was deleted: deploy again")
    return {logical_id: alarms[name] for logical_id, name in ids.items()}


def _actions_of(cloudwatch: Any, alarm: str, topic: str) -> list[_Action]:
    """The alarm's attempts of the last hours to publish on the topic, newest first."""
    since = datetime.now(UTC) - timedelta(hours=_RECENT_HOURS)
    items = cloudwatch.describe_alarm_history(AlarmName=alarm, HistoryItemType="Action", StartDate=since)
    return [
        _Action(item["Timestamp"], item["HistorySummary"])
        for item in items["AlarmHistoryItems"]
        if topic in item["HistorySummary"]
    ]


def _tested(stack: DeployedStack, cloudwatch: Any, topic: str, alarm: Mapping[str, Any]) -> list[_Action]:
    """What this alarm does while it is set. Raises CheckFailed if it does nothing."""
    name = alarm["AlarmName"]
    before = _actions_of(cloudwatch, name, topic)

    def newer() -> list[_Action] | None:
        actions = _actions_of(cloudwatch, name, topic)
        return actions[: len(actions) - len(before)] or None

    with _set(cloudwatch, alarm):
        actions = stack.wait_for(newer)
    if actions is None:
        raise CheckFailed(f"CloudWatch reports no action {stack.waiting.short:.0f} s after {name} was set to ALARM")
    return actions


@contextmanager
def _set(cloudwatch: Any, alarm: Mapping[str, Any]) -> Iterator[None]:
    """Set an alarm, and reset it at the end, also after a failure."""
    name = alarm["AlarmName"]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=_REASON)
    try:
        yield
    finally:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=alarm["StateValue"], StateReason=_REASON)


def _receivers(stack: DeployedStack, topic: str) -> str:
    """Who receives what the alarms publish. Raises CheckFailed if an address still has to confirm that."""
    subscriptions = stack.session.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    if any(one["SubscriptionArn"] == "PendingConfirmation" for one in subscriptions):
        raise CheckFailed("an address has not confirmed its subscription: follow the link in the mail of SNS")
    return (
        f"addresses subscribed: {len(subscriptions)}" if subscriptions else "no address is subscribed: set AlarmEmail"
    )
