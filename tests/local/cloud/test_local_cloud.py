"""The local cloud behaves as AWS where this project relies on it: queues, table, stacks.

Functions and their event source mapping: test_local_mapping.py. The process itself: test_cloud_process.py.
"""

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local.cloud.cloud import Cloud
from tests.local.cloud.deployment import DeploymentFailed, undeploy
from tests.local.cloud.probe_stack import Probe, deploy_probe
from tests.local.cloud.received import visible
from tests.local.waiting import wait_for

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import ListMessageMoveTasksResultEntryTypeDef, MessageTypeDef

MAXIMUM_MESSAGE_SIZE = 1_048_576  # bytes, the default of a queue (SQS quotas)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def sqs(cloud: Cloud) -> "SQSClient":
    return cloud.client("sqs")


@pytest.fixture(scope="module")
def probe(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Probe:
    return deploy_probe(cloud, tmp_path_factory.mktemp("journal") / "unused", "probe")


def _new_queue(sqs: "SQSClient", dead_letters_to: str | None = None) -> tuple[str, str]:
    """URL and ARN of a queue, with redrive to the queue of that ARN after one receive if one is given."""
    url = sqs.create_queue(QueueName=f"queue-{uuid.uuid4().hex}")["QueueUrl"]
    if dead_letters_to:
        policy = f'{{"deadLetterTargetArn": "{dead_letters_to}", "maxReceiveCount": 1}}'
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _receive(sqs: "SQSClient", queue_url: str, visibility: int = 30) -> "list[MessageTypeDef]":
    """One message, by a long poll: it waits a second for what is not there."""
    return sqs.receive_message(
        QueueUrl=queue_url,
        WaitTimeSeconds=1,
        VisibilityTimeout=visibility,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    ).get("Messages", [])


def _moved(sqs: "SQSClient", source_arn: str, **arguments: Any) -> "ListMessageMoveTasksResultEntryTypeDef":
    """The ended task of a redrive."""
    sqs.start_message_move_task(SourceArn=source_arn, **arguments)
    return wait_for(lambda: _ended_task(sqs, source_arn), "the move task to end")


def _ended_task(sqs: "SQSClient", source_arn: str) -> "ListMessageMoveTasksResultEntryTypeDef | None":
    (task,) = sqs.list_message_move_tasks(SourceArn=source_arn)["Results"]
    return None if task["Status"] == "RUNNING" else task


# Queues


def test_deleting_a_message_twice_succeeds(sqs: "SQSClient") -> None:
    url, _ = _new_queue(sqs)
    sqs.send_message(QueueUrl=url, MessageBody="once")
    (message,) = _receive(sqs, url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    with pytest.raises(ClientError, match="ReceiptHandleIsInvalid"):
        sqs.delete_message(QueueUrl=url, ReceiptHandle="never a handle")


def test_attributes_count_towards_the_size_of_a_message(sqs: "SQSClient") -> None:
    url, _ = _new_queue(sqs)
    body = "x" * (MAXIMUM_MESSAGE_SIZE - len("reason" + "String" + "CODE"))
    sqs.send_message(
        QueueUrl=url, MessageBody=body, MessageAttributes={"reason": {"DataType": "String", "StringValue": "CODE"}}
    )
    with pytest.raises(ClientError, match="must be shorter than 1048576 bytes"):
        sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageAttributes={"reason": {"DataType": "String", "StringValue": "CODES"}}
        )


def test_the_redrive_policy_keeps_the_id_and_the_body_of_a_message(sqs: "SQSClient") -> None:
    dead_letters, dead_letters_arn = _new_queue(sqs)
    url, arn = _new_queue(sqs, dead_letters_to=dead_letters_arn)
    sent = sqs.send_message(QueueUrl=url, MessageBody="poison")
    _receive(sqs, url, visibility=0)
    assert _receive(sqs, url) == []
    (dead_letter,) = _receive(sqs, dead_letters)
    assert dead_letter["MessageId"] == sent["MessageId"]
    assert dead_letter["Body"] == "poison"
    assert dead_letter["Attributes"]["DeadLetterQueueSourceArn"] == arn
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead_letters)["queueUrls"] == [url]


def test_a_redriven_message_is_a_new_message_with_the_old_content(sqs: "SQSClient") -> None:
    _, dead_letters_arn = _new_queue(sqs)
    url, _ = _new_queue(sqs, dead_letters_to=dead_letters_arn)
    attributes = {"trace": {"DataType": "String", "StringValue": "abc"}}
    sent = sqs.send_message(QueueUrl=url, MessageBody="poison", MessageAttributes=attributes)  # type: ignore[arg-type]
    _receive(sqs, url, visibility=0)
    assert _receive(sqs, url) == []
    task = _moved(sqs, dead_letters_arn)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
    (redriven,) = _receive(sqs, url)
    assert redriven["MessageId"] != sent["MessageId"]
    assert redriven["Attributes"]["ApproximateReceiveCount"] == "1"
    assert (redriven["Body"], redriven["MessageAttributes"]) == ("poison", attributes)


def test_a_dead_letter_that_was_sent_there_moves_only_to_a_named_destination(sqs: "SQSClient") -> None:
    dead_letters, dead_letters_arn = _new_queue(sqs)
    url, arn = _new_queue(sqs, dead_letters_to=dead_letters_arn)
    sqs.send_message(QueueUrl=dead_letters, MessageBody="written by a handler")
    task = _moved(sqs, dead_letters_arn)
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert visible(sqs, url) == 0
    _moved(sqs, dead_letters_arn, DestinationArn=arn)
    (moved,) = _receive(sqs, url)
    assert moved["Body"] == "written by a handler"


def test_a_queue_has_one_move_task_at_a_time_and_no_message_moves_before_the_answer(sqs: "SQSClient") -> None:
    dead_letters, dead_letters_arn = _new_queue(sqs)
    url, arn = _new_queue(sqs, dead_letters_to=dead_letters_arn)
    sqs.send_message(QueueUrl=dead_letters, MessageBody="to move")
    sqs.start_message_move_task(SourceArn=dead_letters_arn, DestinationArn=arn)
    (task,) = sqs.list_message_move_tasks(SourceArn=dead_letters_arn)["Results"]
    assert (task["Status"], "TaskHandle" in task) == ("RUNNING", True)
    assert (visible(sqs, dead_letters), visible(sqs, url)) == (1, 0)
    with pytest.raises(ClientError, match="already a task running"):
        sqs.start_message_move_task(SourceArn=dead_letters_arn, DestinationArn=arn)
    ended = wait_for(lambda: _ended_task(sqs, dead_letters_arn), "the task to end")
    assert (ended["Status"], "TaskHandle" in ended, visible(sqs, url)) == ("COMPLETED", False, 1)


def test_short_polls_miss_messages_that_long_polls_return(sqs: "SQSClient") -> None:
    url, _ = _new_queue(sqs)
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "m"} for n in range(10)])

    def received(**wait: Any) -> int:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, **wait)
        return len(answer.get("Messages", []))

    assert [received() for _ in range(4)] == [0, 0, 5, 10]
    assert [received(WaitTimeSeconds=1) for _ in range(4)] == [10] * 4
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"ReceiveMessageWaitTimeSeconds": "1"})
    assert [received(), received(WaitTimeSeconds=0)] == [10, 0], "the wait of the request counts before the queue's"


# Stacks and the table


def test_a_failed_condition_brings_the_item_along(cloud: Cloud, probe: Probe) -> None:
    dynamodb = cloud.client("dynamodb")
    table = probe.stack.outputs["TableName"]
    dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}, "owner": {"S": "first"}})
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as failed:
        dynamodb.update_item(
            TableName=table,
            Key={"id": {"S": "1"}},
            UpdateExpression="SET #owner = :owner",
            ConditionExpression="attribute_not_exists(#owner)",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": "second"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    response: Mapping[str, object] = failed.value.response
    assert response["Item"] == {"id": {"S": "1"}, "owner": {"S": "first"}}


def test_the_table_expires_items_and_can_be_recovered(cloud: Cloud, probe: Probe) -> None:
    dynamodb = cloud.client("dynamodb")
    table = probe.stack.outputs["TableName"]
    expiry = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_a_reference_to_a_secret_is_its_arn(cloud: Cloud, probe: Probe) -> None:
    reference = probe.stack.outputs["SecretReference"]
    assert reference.startswith("arn:aws:secretsmanager:")
    assert cloud.client("secretsmanager").get_secret_value(SecretId=reference)["SecretString"] == "a token"


def test_messages_may_not_come_back_while_the_function_may_work_on_them(cloud: Cloud, tmp_path: Path) -> None:
    with pytest.raises(
        DeploymentFailed, match="visibility timeout: 2 seconds is less than Function timeout: 3 seconds"
    ):
        deploy_probe(cloud, tmp_path, "impatient", {"VisibilityTimeout": "2", "FunctionTimeout": "3"})


def test_an_undeployed_stack_is_gone_with_its_resources(cloud: Cloud, tmp_path: Path) -> None:
    stack = deploy_probe(cloud, tmp_path, "short-lived").stack
    undeploy(cloud, stack)
    assert stack.outputs["QueueUrl"] not in cloud.client("sqs").list_queues()["QueueUrls"]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        cloud.client("secretsmanager").get_secret_value(SecretId=stack.outputs["SecretReference"])
