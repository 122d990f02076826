"""The examples of events/: the blocks of its README, and the small stacks of senders and consumers, each deployed."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import jmespath
import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from tests.documents import blocks_of, calls_of
from tests.end_to_end.conftest import OTHER_ACCOUNT
from tests.end_to_end.songs import new_id, song
from tests.local import aws_cli
from tests.local.cloud.aws_clients import AwsClients
from tests.local.cloud.cloud import PROJECT, Cloud
from tests.local.cloud.deployment import Stack, deploy
from tests.local.intake import Intake
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.vendor.story import fails
from tests.local.waiting import wait_for

EXAMPLES = PROJECT / "events/examples"
BLOCKS = blocks_of((PROJECT / "events/README.md").read_text(encoding="utf-8"))
# The front page has some of these, or the like. What reads a recording runs in test_following.py.
ALL_BLOCKS = [*BLOCKS, *blocks_of((PROJECT / "README.md").read_text(encoding="utf-8"))]
CODE = dict.fromkeys(block.code for block in ALL_BLOCKS if block.language == "python" and "song_kept" not in block.code)
REQUESTS = dict.fromkeys(
    block.code for block in ALL_BLOCKS if block.language == "json" and "detail-type" not in block.code
)
SONG_EVENT = json.loads((PROJECT / "events/published/song_succeeded.json").read_text(encoding="utf-8"))


def deployed(account: Cloud | AwsClients, intake: Intake, example: str, name: str = "", **parameters: str) -> Stack:
    """The example's stack, with those of its parameters that are outputs of the song intake stack."""
    template = EXAMPLES / example / "template.yaml"
    outputs = intake.stack.outputs
    known = {
        "QueueUrl": outputs["SongRequestsQueueUrl"],
        "QueueArn": outputs["SongRequestsQueueArn"],
        "EventBusName": outputs["EventBusName"],
    }
    text = template.read_text(encoding="utf-8")
    given = {name: value for name, value in known.items() if f"  {name}:\n    Type: String" in text}
    return deploy(account, template, name or example.replace("_", "-"), given | parameters)


def id_of(request: str, message_id: str) -> str:
    """The id of the request that a message has."""
    return cast("str", json.loads(request).get("request_id", message_id))


def test_the_requests_and_the_code_of_the_readmes_create_their_songs(tracking: Intake, vendor: MusicVendor) -> None:
    names = f"queue_url = {tracking.queue_url!r}\ntable = {tracking.table!r}\n"
    environment = {**tracking.environment(), "PYTHONPATH": str(PROJECT / "layers/song_client")}
    subprocess.run([sys.executable, "-c", names + "".join(CODE)], check=True, env=environment, timeout=60)
    sent = {
        *re.findall(r"\border-\d+:song-\d+\b", "".join(CODE)),
        *(id_of(request, tracking.send(request)) for request in REQUESTS),
    }
    assert len(sent) >= 3
    tasks = {tracking.wait_for_status(request_id, "SUCCEEDED")["task_id"] for request_id in sent}
    assert tasks == {create.task_id for create in vendor.creates}


def test_the_commands_of_the_readme_send_a_request_and_read_its_row(
    tracking: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shell calls what the AWS CLI would; the SDK makes the calls."""
    (block,) = [block for block in BLOCKS if block.heading == "AWS CLI"]
    monkeypatch.chdir(PROJECT)
    for call in calls_of(block.code, tmp_path, tracking.stack.outputs):
        command = aws_cli.read([tracking.stack.name if word == "song-intake" else word for word in call[1:]])
        client: Any = tracking.cloud.client(cast("Any", command.service))
        answer = getattr(client, command.operation)(**command.arguments)
        if command.operation == "describe_stacks":
            assert jmespath.search(command.query, answer)[0] in tracking.stack.outputs.values()
    tracking.wait_for_status("order-1042:song-1", "SUCCEEDED")


@pytest.mark.parametrize(("topic", "raw"), [("songs-wanted", "false"), ("songs-raw", "true")])
def test_a_request_by_a_listed_topic_creates_its_song(tracking: Intake, topic: str, raw: str) -> None:
    stack = deployed(tracking.cloud, tracking, "topic", topic, TopicName=topic, RawMessageDelivery=raw)
    request_id = new_id("by-topic")
    publish(tracking, stack.outputs["TopicArn"], request_id)
    assert tracking.wait_for_status(request_id, "SUCCEEDED")["task_id"]


def test_a_request_by_a_listed_rule_creates_its_song(tracking: Intake) -> None:
    deployed(tracking.cloud, tracking, "rule", EventBusName="default")
    request_id = new_id("by-rule")
    put_event(tracking, "orders", request_id)
    assert tracking.wait_for_status(request_id, "SUCCEEDED")["task_id"]


def test_a_topic_and_a_rule_that_are_not_listed_may_not_send(tracking: Intake) -> None:
    refused = [new_id("by-stranger"), new_id("by-stranger")]
    stranger = deployed(tracking.cloud, tracking, "topic", "stranger", TopicName="another-topic")
    publish(tracking, stranger.outputs["TopicArn"], refused[0])
    deployed(tracking.cloud, tracking, "rule", "strange-rule", EventBusName="default", RuleName="other", Source="else")
    put_event(tracking, "else", refused[1])
    later = new_id("later")
    tracking.send(song("Sent Later", request_id=later))
    tracking.wait_for_status(later, "SUBMITTED")
    assert [tracking.row(request_id) for request_id in refused] == [{}, {}]


def test_a_pipe_can_be_deployed(tracking: Intake) -> None:
    """The local cloud passes nothing on; events/wrapped_by_pipes.json is a message that a Pipe has sent."""
    assert "SongsWantedQueueUrl" in deployed(tracking.cloud, tracking, "pipe").outputs


@pytest.fixture
def other_account(cloud: Cloud) -> Iterator[AwsClients]:
    with closing(AwsClients(cloud.endpoint_url, cloud.ca_bundle, OTHER_ACCOUNT)) as account:
        yield account


def test_the_listed_role_of_another_account_may_send_and_its_administrator_may_not(
    tracking: Intake, other_account: AwsClients
) -> None:
    stack = deployed(other_account, tracking, "other_account")
    order = {"order": new_id("from-elsewhere"), "title": "From Elsewhere", "sound": "slow folk"}
    name = stack.outputs["SongSenderFunctionName"]
    answer = other_account.client("lambda").invoke(FunctionName=name, Payload=json.dumps(order))
    assert json.loads(answer["Payload"].read())["request_id"] == order["order"]
    tracking.wait_for_status(order["order"], "SUCCEEDED")
    with pytest.raises(ClientError, match="AccessDenied"):
        other_account.client("sqs").send_message(QueueUrl=tracking.queue_url, MessageBody="{}")


def test_a_workflow_gets_its_song_at_the_second_attempt_and_gives_up_after_it(
    tracking: Intake, vendor: MusicVendor
) -> None:
    failure = fails(refunded=True)
    vendor.plan_task("Fails Once", failure)
    vendor.plan_task("Fails Twice", failure, failure)
    machine = deployed(tracking.cloud, tracking, "workflow").outputs["SongWorkflowArn"]
    step_functions = tracking.cloud.client("stepfunctions")

    def started(order: str, title: str) -> str:
        request = {"order": order, "title": title, "sound": "slow folk"}
        return step_functions.start_execution(stateMachineArn=machine, input=json.dumps(request))["executionArn"]

    def ended(execution: str) -> dict[str, Any] | None:
        described = step_functions.describe_execution(executionArn=execution)
        return None if described["status"] == "RUNNING" else dict(described)

    good, bad = started("order-1", "Fails Once"), started("order-2", "Fails Twice")
    output = json.loads(wait_for(lambda: ended(good), "the song of the workflow", 60)["output"])
    assert output["song"]["request_id"] == "order-1:song-2"
    assert output["song"]["clips"][0]["audio_url"].startswith("https://")
    failed = wait_for(lambda: ended(bad), "the workflow without a song to end", 60)
    assert (failed["status"], failed["error"]) == ("FAILED", "FAILED_BY_VENDOR")
    assert [len(vendor.creates_of(title)) for title in ("Fails Once", "Fails Twice")] == [2, 2]


def test_a_consumer_records_each_outcome_once_in_whatever_order_events_come(tracking: Intake) -> None:
    stack = deployed(tracking.cloud, tracking, "consumer")
    request_id = new_id("consumed")
    tracking.send(song("Consumed", request_id=request_id))

    def recorded(request_id: str) -> dict[str, Any]:
        key = {"request_id": {"S": request_id}}
        item = tracking.cloud.client("dynamodb").get_item(TableName=stack.outputs["SongsTableName"], Key=key)
        return {name: TypeDeserializer().deserialize(value) for name, value in item.get("Item", {}).items()}

    def handled(*bodies: str) -> list[str]:
        """The ids of the messages that failed."""
        records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
        name = stack.resources["SongConsumer"]
        answer = tracking.cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"Records": records}))
        return [failure["itemIdentifier"] for failure in json.loads(answer["Payload"].read())["batchItemFailures"]]

    row = wait_for(lambda: recorded(request_id), "the consumer to record the song", 60)
    assert (row["song_status"], len(row["links"])) == ("SUCCEEDED", 1)
    about = {"request_id": request_id, "clips": []}
    late = [event(**about, status=status) for status in ("SUCCEEDED", "FAILED", "MESSAGE_REJECTED", "SINGING")]
    assert handled(*late, "no event") == [str(len(late))]
    assert recorded(request_id) == row
    other = new_id("consumed")
    assert handled(*[event(request_id=other, status=status, tempo=120) for status in ("IN_DOUBT", "FAILED")]) == []
    assert recorded(other)["song_status"] == "FAILED"


def event(**detail: object) -> str:
    """The body of a message to the consumer's queue."""
    return json.dumps({**SONG_EVENT, "detail": {**SONG_EVENT["detail"], **detail}})


def publish(intake: Intake, topic: str, request_id: str) -> None:
    sns = intake.cloud.client("sns")
    sns.publish(TopicArn=topic, Message=json.dumps(song("By Topic", request_id=request_id)))


def put_event(intake: Intake, source: str, request_id: str) -> None:
    detail = json.dumps(song("By Rule", request_id=request_id))
    entry = {"Source": source, "DetailType": "Song Wanted", "Detail": detail}
    intake.cloud.client("events").put_events(Entries=[entry])  # type: ignore[list-item]
