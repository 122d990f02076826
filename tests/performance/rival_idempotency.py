"""Alternative (c): Powertools Idempotency around the call, in BatchProcessor. Its own table has the rows."""

import os
from typing import Any

import boto3
import requests
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

ORIGIN = os.environ["RIVALS_API_ORIGIN"]
TOKEN = parameters.get_secret(os.environ["API_TOKEN_SECRET_ARN"])

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)
session = requests.Session()
table = DynamoDBPersistenceLayer(os.environ["LEDGER_TABLE"], boto3_client=boto3.client("dynamodb"))
config = IdempotencyConfig(event_key_jmespath="request_id")


def record_handler(record: SQSRecord) -> None:
    song: dict[str, Any] = record.json_body
    submitted = create(song=song)
    logger.info("submitted", request_id=song["request_id"], task_id=submitted["task_id"])


@idempotent_function(data_keyword_argument="song", persistence_store=table, config=config)  # type: ignore[untyped-decorator]
def create(*, song: dict[str, Any]) -> dict[str, Any]:
    response = session.post(
        f"{ORIGIN}/api/v1/producer/create",
        json={"title": song["title"], "sound": song["sound"], "lyrics": song["lyrics"]},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=30,
    )
    response.raise_for_status()
    return {"task_id": response.json()["task_id"]}


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    config.register_lambda_context(context)
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
