"""Topics and rules that the stack's parameters name may send requests; others may not."""

import json
from typing import Any, cast

from tests.end_to_end.songs import new_id, song
from tests.local.intake import Intake


def publish(intake: Intake, topic: str, request_id: str) -> None:
    sns = intake.cloud.client(cast("Any", "sns"))  # its types are not installed
    arn = sns.create_topic(Name=topic)["TopicArn"]
    queue_arn = intake.stack.outputs["SongRequestsQueueArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn, ReturnSubscriptionArn=True)
    sns.publish(TopicArn=arn, Message=json.dumps(song("By Topic", request_id=request_id)))


def put_event(intake: Intake, rule: str, request_id: str) -> None:
    events = intake.cloud.client("events")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    queue_arn = intake.stack.outputs["SongRequestsQueueArn"]
    events.put_targets(Rule=rule, Targets=[{"Id": "song-requests", "Arn": queue_arn, "InputPath": "$.detail"}])
    detail = json.dumps(song("By Rule", request_id=request_id))
    events.put_events(Entries=[{"Source": rule, "DetailType": "Song Wanted", "Detail": detail}])


def test_a_listed_topic_and_a_listed_rule_may_send_and_others_may_not(intake: Intake) -> None:
    refused = [new_id("by-stranger"), new_id("by-stranger")]
    publish(intake, "another-topic", refused[0])
    put_event(intake, "another-rule", refused[1])
    by_topic, by_rule = new_id("by-topic"), new_id("by-rule")
    publish(intake, "listed-topic", by_topic)
    put_event(intake, "listed-rule", by_rule)
    assert intake.wait_for_status(by_topic, "SUBMITTED")["task_id"]
    assert intake.wait_for_status(by_rule, "SUBMITTED")["task_id"]
    # Both strangers sent before them.
    assert [intake.row(request_id) for request_id in refused] == [{}, {}]
