"""CloudWatch: what an alarm may publish, and what its history reports about that."""

import functools
import json
import time
from typing import Any

from ministack.services import cloudwatch, sns

Alarm = dict[str, Any]

_CLOUDWATCH = "cloudwatch.amazonaws.com"


def mend() -> None:
    """An alarm publishes only if the policy of its topic lets CloudWatch, and its history has each action.

    ministack publishes whatever the policy says, and its history has the changes of state only.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_AlarmHistoryItem.html
    """
    dispatch = cloudwatch._dispatch_alarm_actions

    @functools.wraps(dispatch)
    def mended(alarm: Alarm, old_state: str, new_state: str, reason: str) -> None:
        actions = alarm.get("AlarmActions") or [] if new_state == "ALARM" and alarm.get("ActionsEnabled", True) else []
        allowed = [topic for topic in actions if _may_publish(topic, alarm["AlarmArn"])]
        for topic in actions:
            _record(alarm["AlarmName"], topic, is_done=topic in allowed)
        dispatch({**alarm, "AlarmActions": allowed}, old_state, new_state, reason)

    cloudwatch._dispatch_alarm_actions = mended


def _may_publish(topic: str, alarm: str) -> bool:
    return bool(sns.topic_policy_allows(topic, _CLOUDWATCH, alarm, alarm.split(":")[4]))


def _record(alarm: str, topic: str, *, is_done: bool) -> None:
    denied = 'Received error: "CloudWatch Alarms is not authorized to perform: SNS:Publish"'
    cloudwatch._history_entries().append(
        {
            "AlarmName": alarm,
            "AlarmType": "MetricAlarm",
            "Timestamp": cloudwatch._ts_iso(time.time()),
            "HistoryItemType": "Action",
            "HistorySummary": f"Successfully executed action {topic}"
            if is_done
            else f"Failed to execute action {topic}. {denied}",
            "HistoryData": json.dumps({"actionState": "Succeeded" if is_done else "Failed"}),
        }
    )
