"""The functions on a bench, built as the handlers build them, and the messages that SQS and Lambda deliver to them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from song_intake.admission.switch import IntakeSwitch
from song_intake.app.submit import submit_song
from song_intake.app.switch import SwitchSettings, switch_intake
from song_intake.app.track import track_song
from song_intake.app.webhook import WebhookSettings, receive_webhook
from song_intake.contract.sqs_message import SqsRecord
from song_intake.work.batch import Batch
from song_intake.work.webhook_endpoint import HttpApiEvent
from tests.integration.bench import ENDPOINT, Bench, plenty_of_time
from tests.integration.bench_queue import BenchQueue
from tests.integration.following import track_settings
from tests.integration.handling import failed
from tests.integration.test_redrive import redrive_of
from tests.local.webhooks.call import WebhookCall
from tests.local.webhooks.event import lambda_event

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient

WINDOW = 900


@dataclass(frozen=True, slots=True)
class Stack:
    """Every method builds its function anew, as a new process does."""

    bench: Bench

    def submit(self, *, creates_per_minute: int = 0, acknowledges: bool = True, **replaced: object) -> list[SqsRecord]:
        """Deliver the visible requests to submit_song, and return those that stay on the queue.

        acknowledges: False if no message is deleted, as when Lambda loses the response. replaced: clients by service.
        """
        settings = replace(
            self.bench.submit_settings(),
            webhook_url=ENDPOINT,
            resolution_window=WINDOW,
            creates_per_minute=creates_per_minute,
        )
        function = submit_song(settings, self.bench.clients(**replaced), self.bench.telemetry)
        return _deliver(self.bench.requests, function, acknowledges=acknowledges)

    def track(self) -> list[SqsRecord]:
        """Deliver the visible checks to track_song, and return those that stay on the queue."""
        function = track_song(track_settings(self.bench), self.bench.clients(), self.bench.telemetry)
        return _deliver(self.bench.checks, function)

    def receive(self, call: WebhookCall) -> int:
        """Deliver a call to receive_webhook, and return the status of its answer."""
        settings = WebhookSettings(
            signing_key_secret_arn=self.bench.signing_key_id,
            song_checks_queue_url=self.bench.checks.url,
        )
        function = receive_webhook(settings, self.bench.clients(), self.bench.telemetry)
        return function.handle(cast("HttpApiEvent", lambda_event(call)))["statusCode"]

    def redrive(self) -> object:
        """Have redrive_letters move the dead letters of requests. Returns how many it moved for each reason."""
        # The account answers one call at a time, so a long poll would hold up all others: this redrive makes none.
        return redrive_of(self.bench).handle({"queue": "requests"}, plenty_of_time)["moved"]

    def switch(self, mapping: str) -> IntakeSwitch:
        settings = SwitchSettings(
            music_api_origin=self.bench.vendor.origin,
            api_token_secret_arn=self.bench.secret_id,
            signing_key_secret_arn=self.bench.signing_key_id,
            ledger_table=self.bench.table,
            intake_mapping_uuid=mapping,
            connect_timeout=5,
            poll_deadline=10,
            creates_per_day=0,
            ca_bundle=None,
        )
        return switch_intake(settings, self.bench.clients(), self.bench.telemetry)

    def deliver_again(self, records: Sequence[SqsRecord]) -> None:
        """Have the requests visible now, instead of at the end of their waits."""
        for record in records:
            self.bench.sqs.change_message_visibility(
                QueueUrl=self.bench.requests.url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
            )


def _deliver(queue: BenchQueue, function: Batch, *, acknowledges: bool = True) -> list[SqsRecord]:
    records = queue.records()
    stay = failed(function.handle(records, plenty_of_time))
    if not acknowledges:
        return records
    for record in records:
        if record["messageId"] not in stay:
            queue.delete(record["receiptHandle"])
    return [record for record in records if record["messageId"] in stay]


def event_source_mapping(bench: Bench) -> str:
    """A mapping of Lambda, from a queue without messages to a function that is never invoked; its id.

    moto checks neither the role's policy nor the package. It switches a mapping at once, and AWS within a minute.
    """
    name = f"mapped-{uuid.uuid4().hex}"
    iam: IAMClient = bench.cloud.client("iam")
    functions: LambdaClient = bench.cloud.client("lambda")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions.create_function(
        FunctionName=name, Role=role, Runtime="python3.13", Handler="a.b", Code={"ZipFile": b"not a package"}
    )
    queue = BenchQueue(bench.sqs, name)
    return functions.create_event_source_mapping(FunctionName=name, EventSourceArn=queue.arn)["UUID"]
