"""Alternative (b): the same work in a thread pool with one thread and one connection for each record of a batch."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import requests
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from requests.adapters import HTTPAdapter

ORIGIN = os.environ["RIVALS_API_ORIGIN"]
TABLE = os.environ["LEDGER_TABLE"]
BATCH_SIZE = int(os.environ["BATCH_SIZE"])
TOKEN = parameters.get_secret(os.environ["API_TOKEN_SECRET_ARN"])

logger = Logger()
pool = ThreadPoolExecutor(max_workers=BATCH_SIZE)
dynamodb = boto3.client("dynamodb", config=Config(max_pool_connections=BATCH_SIZE))
session = requests.Session()
for scheme in ("http://", "https://"):
    session.mount(scheme, HTTPAdapter(pool_maxsize=BATCH_SIZE))


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
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    running = {record.message_id: pool.submit(record_handler, record) for record in SQSEvent(event).records}
    failed = [message_id for message_id, future in running.items() if future.exception()]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
