"""Alternative (a), after the Powertools documentation: one record after another, each with put, POST and update."""

import os
from typing import Any

import boto3
import requests
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

ORIGIN = os.environ["RIVALS_API_ORIGIN"]
TABLE = os.environ["LEDGER_TABLE"]
TOKEN = parameters.get_secret(os.environ["API_TOKEN_SECRET_ARN"])

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)
session = requests.Session()
dynamodb = boto3.client("dynamodb")


def record_handler(record: SQSRecord) -> None:
    song: dict[str, Any] = record.json_body
    key = {"request_id": {"S": song["request_id"]}}
    dynamodb.put_item(
        TableName=TABLE,
        Item=key | {"status": {"S": "SUBMITTING"}},
        ConditionExpression="attribute_not_exists(request_id)",
    )
    task_id = create(song)
    dynamodb.update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET #status = :status, task_id = :task_id",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": "SUBMITTED"}, ":task_id": {"S": task_id}},
    )
    logger.info("submitted", request_id=song["request_id"], task_id=task_id)


def create(song: dict[str, Any]) -> str:
    response = session.post(
        f"{ORIGIN}/api/v1/producer/create",
        json={"title": song["title"], "sound": song["sound"], "lyrics": song["lyrics"]},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=30,
    )
    response.raise_for_status()
    task_id: str = response.json()["task_id"]
    return task_id


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
