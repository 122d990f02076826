"""The parts of the functions on real services of this machine, put together as their handlers do, without Lambda."""

from __future__ import annotations

import io
import itertools
import json
import ssl
import uuid
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics

from song_intake.announcements import Announcer
from song_intake.api_token import ApiToken
from song_intake.backoff import Backoff
from song_intake.batch import Batch, Work
from song_intake.callback import Callback
from song_intake.circuit_breaker import CircuitBreaker
from song_intake.dead_letters import DeadLetters
from song_intake.ledger import Ledger
from song_intake.ledger_table import LedgerTable
from song_intake.message import Message, SqsRecord
from song_intake.music_api import MusicApi
from song_intake.our_webhook import OurWebhook
from song_intake.pacer import Pacer, Unpaced
from song_intake.request_work import RequestWork
from song_intake.song_checks import SongChecks
from song_intake.song_request import SongRequest
from song_intake.submission import Submission
from song_intake.telemetry import Telemetry
from song_intake.telling import Telling
from song_intake.webhook_keys import WebhookKeys
from tests.conftest import TOKEN
from tests.integration.bench_queue import BenchBus, BenchQueue, Letter
from tests.integration.bench_table import create_ledger_table
from tests.local.cloud.cloud import Cloud
from tests.local.vendor.music_vendor import MusicVendor

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_stepfunctions import SFNClient

ENDPOINT = "https://hooks.example"
WEBHOOK_KEY = "the-webhook-key"
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
    body: str,
    *,
    message_id: str | None = None,
    receives: int = 1,
    attributes: Mapping[str, str] | None = None,
    sent_at: float = 0,
) -> SqsRecord:
    """A record as the event source mapping would hand it over, that came from no queue."""
    return {
        "messageId": message_id or str(uuid.uuid4()),
        "receiptHandle": "none",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), "SentTimestamp": str(int(sent_at * 1000))},
        "messageAttributes": {
            name: {"dataType": "String", "stringValue": text} for name, text in (attributes or {}).items()
        },
    }


class Bench:
    """A table, queues, a bus and secrets of one test's own, each made when it is first asked for.

    Nothing is taken down: no two have a name in common, and the account ends with the tests.
    """

    def __init__(self, cloud: Cloud, vendor: MusicVendor) -> None:
        self.cloud = cloud
        self.vendor = vendor
        self.dynamodb = cloud.client("dynamodb")
        self.sqs = cloud.client("sqs")
        self.secrets = cloud.client("secretsmanager")
        self.table = f"bench-{uuid.uuid4().hex}"
        self.create_table()
        self.log = io.StringIO()
        self.tls = ssl.create_default_context(cafile=vendor.ca_bundle)

    @cached_property
    def requests(self) -> BenchQueue:
        return BenchQueue(self.sqs, self.table)

    @cached_property
    def dead_letters(self) -> BenchQueue:
        return BenchQueue(self.sqs, f"{self.table}-dead")

    @cached_property
    def checks(self) -> BenchQueue:
        return BenchQueue(self.sqs, f"{self.table}-checks")

    @cached_property
    def dead_checks(self) -> BenchQueue:
        return BenchQueue(self.sqs, f"{self.table}-dead-checks")

    @cached_property
    def bus(self) -> BenchBus:
        # Whoever announces anything asks for its name, and so nothing is said before somebody listens.
        return BenchBus(self.cloud.client("events"), self.sqs, self.table)

    @cached_property
    def faults(self) -> BenchBus:
        """A bus with a listener to the faults of the account."""
        return BenchBus(self.cloud.client("events"), self.sqs, f"{self.table}-faults", source="song-intake.account")

    @cached_property
    def secret_id(self) -> str:
        return self.secrets.create_secret(Name=self.table, SecretString=TOKEN)["ARN"]

    @cached_property
    def webhook_key_id(self) -> str:
        return self.secrets.create_secret(Name=f"{self.table}-key", SecretString=WEBHOOK_KEY)["ARN"]

    def create_table(self) -> None:
        create_ledger_table(self.dynamodb, self.table)

    def delete_table(self) -> None:
        self.dynamodb.delete_table(TableName=self.table)

    def ledger(self, dynamodb: DynamoDBClient | None = None, lease: float = LEASE) -> Ledger:
        return Ledger(dynamodb or self.dynamodb, self.table, lease, KEEP_DAYS)

    def ledger_table(self, dynamodb: DynamoDBClient | None = None) -> LedgerTable:
        return LedgerTable(dynamodb or self.dynamodb, self.table, KEEP_DAYS)

    def webhook(self, window: float) -> OurWebhook:
        return OurWebhook(ENDPOINT, WebhookKeys(self.secrets, self.webhook_key_id), window)

    def submission(
        self,
        *,
        dynamodb: DynamoDBClient | None = None,
        origin: str | None = None,
        create_deadline: float = CREATE_DEADLINE,
        secret_id: str | None = None,
        lease: float = LEASE,
        webhook: OurWebhook | None = None,
        pacer: Pacer | None = None,
        breaker: CircuitBreaker | None = None,
    ) -> Submission:
        return Submission(
            ledger=self.ledger(dynamodb, lease),
            music_api=MusicApi(origin or self.vendor.origin, self.tls, 1, create_deadline),
            api_token=ApiToken(self.secrets, secret_id or self.secret_id),
            backoff=Backoff(base=10, cap=100),
            paid_call=PAID_CALL,
            last_try=LAST_TRY,
            max_receive_count=MAX_RECEIVE_COUNT,
            pacer=pacer or Unpaced(),
            # Without one of its own, a test learns of each request's fault by trying it.
            breaker=breaker or CircuitBreaker(rest=0),
            webhook=webhook,
        )

    def song_checks(self, url: str | None = None, first_check: float = 0) -> SongChecks:
        return SongChecks(self.sqs, url or self.checks.url, first_check)

    def telling(self, events: EventBridgeClient | None = None, step_functions: SFNClient | None = None) -> Telling:
        announcer = Announcer(events or self.cloud.client("events"), self.bus.name)
        return Telling(announcer, Callback(step_functions or self.cloud.client("stepfunctions")))

    def request_work(
        self,
        submission: Submission | None = None,
        *,
        checks: SongChecks | None = None,
        telling: Telling | None = None,
        dead_letter_queue_url: str | None = None,
    ) -> RequestWork:
        return RequestWork(
            submission=submission or self.submission(),
            checks=checks or self.song_checks(),
            telling=telling or self.telling(),
            dead_letters=DeadLetters(self.sqs, dead_letter_queue_url or self.dead_letters.url),
        )

    def batch(self, submission: Submission | None = None, dead_letter_queue_url: str | None = None) -> Batch:
        return self.batch_of(self.request_work(submission, dead_letter_queue_url=dead_letter_queue_url))

    def batch_of(self, work: Work, queue: BenchQueue | None = None) -> Batch:
        # Powertools keeps a logger and its stream by its service: a name of its own hears this test alone.
        logger = Logger(service=self.table, stream=self.log)
        return Batch(
            work=work,
            sqs=self.sqs,
            queue_url=(queue or self.requests).url,
            telemetry=Telemetry(logger, Metrics(namespace="SongIntake", service=self.table)),
        )

    def send(self, body: str, attributes: Mapping[str, str] | None = None) -> str:
        """Puts a message on the queue of requests; its id."""
        return self.requests.send(body, attributes)

    def receive(self) -> list[SqsRecord]:
        """The requests that are visible."""
        return self.requests.records()

    def letters(self) -> list[Letter]:
        """The dead letters of requests that were written since the last call."""
        return self.dead_letters.letters()

    def redrive(self) -> int:
        """Sends every dead letter back with its attributes, which gives it a new id, as on AWS. How many there were."""
        letters = self.letters()
        for letter in letters:
            self.dead_letters.delete(letter.receipt_handle)
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
