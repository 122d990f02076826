"""The parts of submit_song on real services of this machine, put together as its handler does, but without Lambda."""

from __future__ import annotations

import io
import itertools
import json
import ssl
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from botocore.config import Config

from song_intake.api_token import ApiToken
from song_intake.backoff import Backoff
from song_intake.batch import Batch
from song_intake.dead_letters import DeadLetters
from song_intake.ledger import Ledger
from song_intake.message import Message, MessageAttribute, SqsRecord
from song_intake.music_api import MusicApi
from song_intake.song_request import SongRequest
from song_intake.submission import Submission
from song_intake.telemetry import Telemetry
from tests.conftest import TOKEN
from tests.local.cloud import Cloud
from tests.local.music_vendor import MusicVendor

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

LEASE = 60.0
KEEP_DAYS = 90
LAST_TRY = 5
MAX_RECEIVE_COUNT = 8
CREATE_DEADLINE = 1.0
PAID_CALL = 2.0
PLENTY_OF_TIME = 60.0

_numbers = itertools.count(1)


def new_id(stem: str) -> str:
    return f"{stem}-{next(_numbers)}"


def plenty_of_time() -> float:
    return PLENTY_OF_TIME


def record_of(
    body: str, *, message_id: str | None = None, receives: int = 1, attributes: Mapping[str, str] | None = None
) -> SqsRecord:
    """A record as the event source mapping would hand it over, that came from no queue."""
    return {
        "messageId": message_id or str(uuid.uuid4()),
        "receiptHandle": "none",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "messageAttributes": {
            name: {"dataType": "String", "stringValue": text} for name, text in (attributes or {}).items()
        },
    }


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on the dead-letter queue, its attributes' texts."""

    body: str
    attributes: Mapping[str, str]
    receipt_handle: str


class Bench:
    """A table, a queue, its dead-letter queue and a secret of one test's own."""

    def __init__(self, cloud: Cloud, vendor: MusicVendor) -> None:
        name = f"bench-{uuid.uuid4().hex}"
        self.cloud = cloud
        self.vendor = vendor
        self.dynamodb = cloud.client("dynamodb")
        self.sqs = cloud.client("sqs")
        self.secrets = cloud.client("secretsmanager")
        self.table = name
        self.create_table()
        self.queue_url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.dead_letter_queue_url = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        self.secret_id = self.secrets.create_secret(Name=name, SecretString=TOKEN)["ARN"]
        self.log = io.StringIO()
        self.tls = ssl.create_default_context(cafile=vendor.ca_bundle)

    def close(self) -> None:
        # A test may have taken any of them away.
        with suppress(self.dynamodb.exceptions.ResourceNotFoundException):
            self.delete_table()
        for url in (self.queue_url, self.dead_letter_queue_url):
            with suppress(self.sqs.exceptions.ClientError):
                self.sqs.delete_queue(QueueUrl=url)
        self.secrets.delete_secret(SecretId=self.secret_id, ForceDeleteWithoutRecovery=True)

    def create_table(self) -> None:
        self.dynamodb.create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": "request_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "request_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def delete_table(self) -> None:
        self.dynamodb.delete_table(TableName=self.table)

    def unreachable_dynamodb(self) -> DynamoDBClient:
        """A client that tries once, at a port where nobody listens."""
        return boto3.client(
            "dynamodb",
            endpoint_url="https://127.0.0.1:9",
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=1, proxies={}),
        )

    def ledger(self, dynamodb: DynamoDBClient | None = None, lease: float = LEASE) -> Ledger:
        return Ledger(dynamodb or self.dynamodb, self.table, lease, KEEP_DAYS)

    def submission(
        self,
        *,
        dynamodb: DynamoDBClient | None = None,
        origin: str | None = None,
        create_deadline: float = CREATE_DEADLINE,
        secret_id: str | None = None,
        lease: float = LEASE,
    ) -> Submission:
        return Submission(
            ledger=self.ledger(dynamodb, lease),
            music_api=MusicApi(origin or self.vendor.origin, self.tls, 1, create_deadline),
            api_token=ApiToken(self.secrets, secret_id or self.secret_id),
            backoff=Backoff(base=10, cap=100),
            paid_call=PAID_CALL,
            last_try=LAST_TRY,
            max_receive_count=MAX_RECEIVE_COUNT,
        )

    def batch(self, submission: Submission | None = None, dead_letter_queue_url: str | None = None) -> Batch:
        # Powertools keeps a logger and its stream by its service: a name of its own hears this test alone.
        logger = Logger(service=self.table, stream=self.log)
        return Batch(
            submission=submission or self.submission(),
            dead_letters=DeadLetters(self.sqs, dead_letter_queue_url or self.dead_letter_queue_url),
            sqs=self.sqs,
            queue_url=self.queue_url,
            telemetry=Telemetry(logger, Metrics(namespace="SongIntake", service=self.table)),
        )

    def send(self, body: str, attributes: Mapping[str, str] | None = None) -> str:
        """Puts a message on the queue; its id."""
        texts: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": text} for name, text in (attributes or {}).items()
        }
        return self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body, MessageAttributes=texts)["MessageId"]

    def receive(self) -> list[SqsRecord]:
        """What is visible on the queue, as records; hidden from then on for the queue's 30 seconds."""
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": message["Attributes"]["ApproximateReceiveCount"]},
                "messageAttributes": {
                    name: _as_in_a_record(value) for name, value in message.get("MessageAttributes", {}).items()
                },
            }
            for message in _all_of(self.sqs, self.queue_url)
        ]

    def letters(self) -> list[Letter]:
        """The dead letters written since the last call."""
        return [
            Letter(
                message["Body"],
                {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()},
                message["ReceiptHandle"],
            )
            for message in _all_of(self.sqs, self.dead_letter_queue_url)
        ]

    def redrive(self) -> int:
        """Sends every dead letter back with its attributes, which gives it a new id, as on AWS. How many there were."""
        letters = self.letters()
        for letter in letters:
            self.sqs.delete_message(QueueUrl=self.dead_letter_queue_url, ReceiptHandle=letter.receipt_handle)
            self.send(letter.body, letter.attributes)
        return len(letters)

    def lines(self) -> list[dict[str, Any]]:
        """What was logged, line by line."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def row(self, request_id: str) -> dict[str, Any]:
        """The request's item, its values plain; empty if there is none."""
        item = self.item(request_id)
        return {name: next(iter(value.values())) for name, value in item.items()}

    def item(self, request_id: str) -> dict[str, Any]:
        key = {"request_id": {"S": request_id}}
        found = self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return dict(found.get("Item", {}))


def song(title: str, request_id: str | None = None, **fields: object) -> str:
    """A message body. Its title is what the stand-in's behaviour is planned by."""
    ours = {} if request_id is None else {"request_id": request_id}
    return json.dumps({"title": title, "sound": "slow folk", **ours, **fields})


def delivery(record: SqsRecord) -> tuple[SongRequest, Message]:
    """What a batch makes of a record before it is decided."""
    message = Message.of(record)
    return SongRequest.parse(message.body, message.message_id, message.known_request_id), message


def _as_in_a_record(value: Any) -> MessageAttribute:
    return {"dataType": value["DataType"], "stringValue": value.get("StringValue", "")}


def _all_of(sqs: SQSClient, url: str) -> list[Any]:
    found: list[Any] = []
    while received := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        found += received
    return found
