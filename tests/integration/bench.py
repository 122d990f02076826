"""The parts of the functions on real local services, put together as the handlers do it, without Lambda."""

from __future__ import annotations

import io
import itertools
import json
import ssl
import uuid
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from aws_lambda_powertools import Logger, Metrics

from song_intake.admission.circuit_breaker import CircuitBreaker
from song_intake.admission.pacer import Pacer, Unpaced
from song_intake.app.parts import notifier
from song_intake.app.submit import SubmitSettings, submit_song
from song_intake.aws.signing_key import SigningKeys
from song_intake.contract.proof import Proofs
from song_intake.contract.song_request import SongRequest
from song_intake.contract.sqs_message import Message, SqsRecord
from song_intake.ledger.follow_ups import FollowUps
from song_intake.ledger.submitting import SubmissionStore
from song_intake.ledger.table import LedgerTable
from song_intake.ledger.task_tokens import TaskTokens
from song_intake.music_api.webhook import WebhookConfig, no_window
from song_intake.outgoing.checks import SongChecks
from song_intake.outgoing.dead_letters import DeadLetters
from song_intake.outgoing.notifier import Notifier
from song_intake.outgoing.requests import RequestQueue
from song_intake.outgoing.telemetry import Telemetry
from song_intake.work.batch import Batch, Work
from song_intake.work.message_steps import MessageSteps
from song_intake.work.request_work import RequestWork
from song_intake.work.submission import Submission
from tests.conftest import TOKEN
from tests.integration.bench_queue import BenchBus, BenchQueue, Letter
from tests.integration.bench_table import create_ledger_table
from tests.integration.shipped_client import ShippedClient
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.waiting import wait_for
from tests.signing import PROOFS, SIGNING_KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

ENDPOINT = "https://hooks.example"
LEASE = 60.0
KEEP_DAYS = 90
FINAL_RECEIVE = 5
MAX_RECEIVE_COUNT = 8
CREATE_DEADLINE = 10.0
PAID_CALL = 12.0
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
    """A record as the event source mapping delivers it, but from no queue."""
    return {
        "messageId": message_id or str(uuid.uuid4()),
        "receiptHandle": "none",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), "SentTimestamp": str(int(sent_at * 1000))},
        "messageAttributes": {
            name: {"dataType": "String", "stringValue": text} for name, text in (attributes or {}).items()
        },
    }


class Account(Protocol):
    """An AWS account, real or simulated, as its clients reach it."""

    def client(self, service: Any) -> Any:
        """The boto3 client of this service."""


class BenchClients:
    """Clients of an account with the operations that a function has, some of them replaced."""

    def __init__(self, account: Account, tls: ssl.SSLContext, replaced: Mapping[str, object]) -> None:
        self.tls = tls
        self._account = account
        self._replaced = replaced

    def client(self, service: Any) -> Any:
        return self._replaced.get(service) or ShippedClient(service, self._account.client(service))


class Bench:
    """A table, queues, a bus and secrets of one test's own, each created when it is first used.

    Nothing is deleted: all names are unique, and the account ends with the tests.

    functions: the clients that the functions get; None: the administrator's, which are those of `cloud`.
    """

    def __init__(self, cloud: Account, vendor: MusicVendor, functions: Account | None = None) -> None:
        self.cloud = cloud
        self.vendor = vendor
        self.dynamodb: DynamoDBClient = cloud.client("dynamodb")
        self.sqs: SQSClient = cloud.client("sqs")
        self.secrets: SecretsManagerClient = cloud.client("secretsmanager")
        self._functions = functions or cloud
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
        # A publisher needs the name of the bus, so the rule and its queue exist before the first event.
        return BenchBus(self.cloud.client("events"), self.sqs, self.table)

    @cached_property
    def faults(self) -> BenchBus:
        """A bus with a rule for account faults."""
        return BenchBus(self.cloud.client("events"), self.sqs, f"{self.table}-faults", source="song-intake.account")

    @cached_property
    def secret_id(self) -> str:
        return self.secrets.create_secret(Name=self.table, SecretString=TOKEN)["ARN"]

    @cached_property
    def signing_key_id(self) -> str:
        return self.secrets.create_secret(Name=f"{self.table}-key", SecretString=SIGNING_KEY)["ARN"]

    def create_table(self) -> None:
        create_ledger_table(self.dynamodb, self.table)

    def delete_table(self) -> None:
        self.dynamodb.delete_table(TableName=self.table)

    def ledger(
        self, dynamodb: DynamoDBClient | None = None, lease: float = LEASE, window: float = 0
    ) -> SubmissionStore:
        return SubmissionStore(self.ledger_table(dynamodb), lease, no_window if window == 0 else lambda _: window)

    def ledger_table(self, dynamodb: DynamoDBClient | None = None) -> LedgerTable:
        return LedgerTable(dynamodb or self.clients().client("dynamodb"), self.table, KEEP_DAYS)

    def signing_keys(self) -> SigningKeys:
        return SigningKeys(self.clients().client("secretsmanager"), self.signing_key_id)

    @cached_property
    def proofs(self) -> Proofs:
        return Proofs(self.signing_keys())

    def webhook(self, window: float) -> WebhookConfig:
        return WebhookConfig(ENDPOINT, self.signing_keys(), window)

    def clients(self, **replaced: object) -> BenchClients:
        return BenchClients(self._functions, self.tls, replaced)

    @cached_property
    def telemetry(self) -> Telemetry:
        # Powertools keeps one logger and stream per service name, so each bench uses a name of its own.
        return Telemetry(
            Logger(service=self.table, stream=self.log), Metrics(namespace="SongIntake", service=self.table)
        )

    def submit_settings(self) -> SubmitSettings:
        """The settings that the template gives submit_song, with times that suit a test."""
        return SubmitSettings(
            music_api_origin=self.vendor.origin,
            api_token_secret_arn=self.secret_id,
            ledger_table=self.table,
            song_requests_queue_url=self.requests.url,
            dead_letter_queue_url=self.dead_letters.url,
            connect_timeout=5,
            create_deadline=CREATE_DEADLINE,
            settle_margin=PAID_CALL - CREATE_DEADLINE,
            function_timeout=PLENTY_OF_TIME,
            lease=LEASE,
            max_receive_count=MAX_RECEIVE_COUNT,
            retry_base=10,
            retry_cap=100,
            keep_days=KEEP_DAYS,
            batch_size=10,
            creates_per_minute=0,
            creates_per_day=0,
            creates_per_day_and_sender=0,
            song_checks_queue_url=self.checks.url,
            first_check=0,
            event_bus_name=self.bus.name,
            webhook_url=None,
            signing_key_secret_arn=self.signing_key_id,
            resolution_window=0,
            ca_bundle=None,
        )

    def submission(
        self,
        *,
        dynamodb: DynamoDBClient | None = None,
        origin: str | None = None,
        create_deadline: float = CREATE_DEADLINE,
        secret_id: str | None = None,
        lease: float = LEASE,
        webhook: WebhookConfig | None = None,
        pacer: Pacer | None = None,
        breaker: CircuitBreaker | None = None,
        creates_per_day: int = 0,
        creates_per_day_and_sender: int = 0,
    ) -> Submission:
        """Built as submit_song builds it, with some parts replaced."""
        settings = replace(
            self.submit_settings(),
            music_api_origin=origin or self.vendor.origin,
            api_token_secret_arn=secret_id or self.secret_id,
            create_deadline=create_deadline,
            lease=lease,
            creates_per_day=creates_per_day,
            creates_per_day_and_sender=creates_per_day_and_sender,
        )
        clients = self.clients(dynamodb=dynamodb)
        work = submit_song(settings, clients, self.telemetry).work
        assert isinstance(work, RequestWork)
        return replace(
            work.submission,
            paid_call=PAID_CALL,
            pacer=pacer or Unpaced(),
            # By default every request is tried, whatever the earlier ones found.
            breaker=breaker or CircuitBreaker(first_hold=0),
            webhook=webhook,
            store=SubmissionStore(self.ledger_table(dynamodb), lease, webhook.window_for if webhook else no_window),
        )

    def song_checks(self, url: str | None = None, first_check: float = 0) -> SongChecks:
        return SongChecks(self.clients().client("sqs"), url or self.checks.url, first_check)

    def notifier(self, events: EventBridgeClient | None = None, step_functions: SFNClient | None = None) -> Notifier:
        clients = self.clients(events=events, stepfunctions=step_functions)
        return notifier(clients, self.bus.name, self.telemetry)

    def request_work(
        self,
        submission: Submission | None = None,
        *,
        checks: SongChecks | None = None,
        notifier: Notifier | None = None,
        dead_letter_queue_url: str | None = None,
        request_queue_url: str | None = None,
    ) -> RequestWork:
        table = self.ledger_table()
        steps = MessageSteps(
            checks=checks or self.song_checks(),
            notifier=notifier or self.notifier(),
            dead_letters=DeadLetters(
                self.clients().client("sqs"), dead_letter_queue_url or self.dead_letters.url, self.proofs
            ),
            task_tokens=TaskTokens(table),
        )
        return RequestWork(
            submission=submission or self.submission(),
            steps=steps,
            follow_ups=FollowUps(table),
            requests=RequestQueue(self.clients().client("sqs"), request_queue_url or self.requests.url, self.proofs),
            proofs=self.proofs,
        )

    def batch(self, submission: Submission | None = None, dead_letter_queue_url: str | None = None) -> Batch:
        return self.batch_of(self.request_work(submission, dead_letter_queue_url=dead_letter_queue_url))

    def batch_of(self, work: Work, queue: BenchQueue | None = None) -> Batch:
        url = (queue or self.requests).url
        return Batch(work=work, sqs=self.clients().client("sqs"), queue_url=url, telemetry=self.telemetry)

    def send(self, body: str, attributes: Mapping[str, str] | None = None) -> str:
        """Puts a message on the queue of requests; its id."""
        return self.requests.send(body, attributes)

    def receive(self) -> list[SqsRecord]:
        """The requests that are visible."""
        return self.requests.records()

    def wait_for_requests(self) -> list[SqsRecord]:
        """The requests once they are visible: a message that was sent anew is delayed."""
        wait_for(lambda: self.requests.delayed == 0, "the delay of the requests to end")
        return self.receive()

    def letters(self) -> list[Letter]:
        """The dead letters of requests that were written since the last call."""
        return self.dead_letters.letters()

    def redrive(self) -> int:
        """Sends every dead letter back with its attributes and a new id, as AWS does. Returns how many there were."""
        letters = self.letters()
        for letter in letters:
            self.dead_letters.delete(letter.receipt_handle)
            self.send(letter.body, letter.attributes)
        return len(letters)

    def lines(self) -> list[dict[str, Any]]:
        """The log, line by line, but not that SQS could not hide a record that is from no queue."""
        of_no_queue = {"action": "change_visibility", "reason": "ReceiptHandleIsInvalid"}
        return [line for line in self.all_lines() if not line.items() >= of_no_queue.items()]

    def all_lines(self) -> list[dict[str, Any]]:
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
    """A message body. The simulated vendor's behaviour is planned by its title."""
    ours = {} if request_id is None else {"request_id": request_id}
    return json.dumps({"title": title, "sound": "slow folk", **ours, **fields})


def delivery(record: SqsRecord) -> tuple[SongRequest, Message]:
    """The request and the message that a batch reads from a record."""
    message = PROOFS.read(Message.of(record))
    return SongRequest.parse(message.body, message.message_id, message.known_request_id), message
