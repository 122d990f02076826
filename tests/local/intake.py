"""The deployed stack from its users' view: a queue to send to, rows to read, dead letters to read and redrive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.local.cloud.aws_clients import ADMINISTRATOR, REGION
from tests.local.cloud.cloud import PROJECT, Cloud
from tests.local.cloud.deployment import Stack, deploy
from tests.local.cloud.received import receive_all
from tests.local.waiting import wait_for

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

TEMPLATE = PROJECT / "template.yaml"
EVENTS = PROJECT / "events"

# Short waits for the shipped template. They keep the same rules as the defaults.
SHORT_WAITS = {
    "CreatesPerMinute": "0",
    "ConnectTimeoutSeconds": "2",
    "CreateDeadlineSeconds": "2",
    "SettleMarginSeconds": "6",
    "FunctionTimeoutSeconds": "9",
    "LeaseSeconds": "9",
    "VisibilityTimeoutSeconds": "9",
    "MaxReceiveCount": "8",
    "RetryBaseSeconds": "1",
    "RetryCapSeconds": "1",
    "FirstCheckSeconds": "1",
    "CheckCapSeconds": "1",
    "PollDeadlineSeconds": "1",
    "TrackTimeoutSeconds": "10",
    "ChecksVisibilityTimeoutSeconds": "10",
    "TrackingHours": "1",
    "ResolutionWindowSeconds": "4",
    "DeletionProtection": "false",
    "KeepRecordings": "off",
}

# From the stand-in's own host.
KEEPING = {"KeepRecordings": "m4a", "RecordingHosts": "cdn.example"}

# The limits of one SQS request: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
MOST_ENTRIES = 10
MOST_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on a dead-letter queue."""

    message_id: str
    body: str
    attributes: Mapping[str, str]
    receipt_handle: str

    @property
    def reason(self) -> str | None:
        return self.attributes.get("reason")


class Intake:
    """One stack of the shipped template in a cloud, with its token set."""

    def __init__(self, cloud: Cloud, stack: Stack) -> None:
        self.cloud = cloud
        self.stack = stack
        self.queue_url = stack.outputs["SongRequestsQueueUrl"]
        self.dead_letter_queue_url = stack.outputs["DeadLetterQueueUrl"]
        self.table = stack.outputs["LedgerTableName"]
        self._sqs = cloud.client("sqs")
        self._dynamodb = cloud.client("dynamodb")

    @classmethod
    def deployed(cls, cloud: Cloud, name: str, origin: str, token: str | None, parameters: Mapping[str, str]) -> Intake:
        """Deploy the template and, unless there is no token yet, set it as its operator does."""
        stack = deploy(cloud, TEMPLATE, name, {"MusicApiOrigin": origin, **parameters})
        intake = cls(cloud, stack)
        if token is not None:
            intake.set_token(json.dumps({"api_token": token}))
        return intake

    def set_token(self, secret: str) -> None:
        secrets = self.cloud.client("secretsmanager")
        secrets.put_secret_value(SecretId=self.stack.outputs["ApiTokenSecretArn"], SecretString=secret)

    def send(self, body: str | Mapping[str, object], attributes: Mapping[str, str] | None = None) -> str:
        """Sends one message and returns its id, which is also the request_id if the body has none."""
        texts: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": text} for name, text in (attributes or {}).items()
        }
        body = body if isinstance(body, str) else json.dumps(body)
        return self._sqs.send_message(QueueUrl=self.queue_url, MessageBody=body, MessageAttributes=texts)["MessageId"]

    def send_all(self, bodies: list[str]) -> None:
        for start in range(0, len(bodies), MOST_ENTRIES):
            entries = [
                {"Id": str(i), "MessageBody": body} for i, body in enumerate(bodies[start : start + MOST_ENTRIES])
            ]
            self._sqs.send_message_batch(QueueUrl=self.queue_url, Entries=entries)  # type: ignore[arg-type]

    def row(self, request_id: str) -> dict[str, Any]:
        """The row of the request, with plain values; empty if there is none."""
        item = self._dynamodb.get_item(
            TableName=self.table, Key={"request_id": {"S": request_id}}, ConsistentRead=True
        ).get("Item", {})
        return {name: next(iter(value.values())) for name, value in item.items()}

    def rows(self) -> list[dict[str, Any]]:
        """The rows of all requests, with plain values."""
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in self.items()]

    def items(self) -> list[dict[str, Any]]:
        """The rows of all requests, as DynamoDB returns them. The table also holds other items, which are left out."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        # The items of the pace and of the intake have no fingerprint.
        return [item for page in pages for item in page["Items"] if "fingerprint" in item]

    def checks(self) -> int:
        """Messages on the queue of checks, waiting, delayed or in flight."""
        return self._count(self.stack.outputs["SongChecksQueueUrl"])

    def wait_for_status(self, request_id: str, status: str, seconds: float = 60) -> dict[str, Any]:
        def reached() -> dict[str, Any] | None:
            row = self.row(request_id)
            return row if row.get("status") == status else None

        return wait_for(reached, f"{request_id} to be {status}", seconds)

    def letters(self, output: str = "DeadLetterQueueUrl") -> list[Letter]:
        """The dead letters on that queue; they stay there."""
        found: dict[str, Letter] = {}
        url = self.stack.outputs[output]
        for message in receive_all(self._sqs, url, VisibilityTimeout=5):
            attributes = message.get("MessageAttributes", {})
            texts = {name: value.get("StringValue", "") for name, value in attributes.items()}
            letter = Letter(message["MessageId"], message["Body"], texts, message["ReceiptHandle"])
            found[letter.message_id] = letter
        self._show_again(url, list(found.values()))
        return list(found.values())

    def _show_again(self, url: str, letters: list[Letter]) -> None:
        for start in range(0, len(letters), MOST_ENTRIES):
            entries = [
                {"Id": str(i), "ReceiptHandle": letter.receipt_handle, "VisibilityTimeout": 0}
                for i, letter in enumerate(letters[start : start + MOST_ENTRIES])
            ]
            self._sqs.change_message_visibility_batch(
                QueueUrl=url,
                Entries=entries,  # type: ignore[arg-type]
            )

    def wait_for_letter(self, request_id: str, seconds: float = 60) -> Letter:
        """The dead letter of this request, or of the message with this id."""

        def found() -> Letter | None:
            mine = (letter for letter in self.letters() if request_id in _ids_of(letter))
            return next(mine, None)

        return wait_for(found, f"a dead letter of {request_id}", seconds)

    def redrive(self) -> None:
        """Moves every dead letter of a request back to its queue, by one order to the function.

        `redrive_by_command` also counts the letters of both queues before and after, which takes three times as long.
        """
        response = self.cloud.client("lambda").invoke(
            FunctionName=self.stack.outputs["RedriveLettersFunctionName"], Payload=json.dumps({"queue": "requests"})
        )
        result = json.loads(response["Payload"].read())
        if not result.get("is_complete"):
            raise AssertionError(f"not all letters were moved: {result}")

    def redrive_by_command(self) -> None:
        """Moves every dead letter of both queues back, by the command that `make redrive` runs."""
        command = [sys.executable, "-m", "song_intake.commands", "--stack", self.stack.name, "redrive"]
        package = str(PROJECT / "layers" / "song_intake")
        subprocess.run(command, check=True, env={**self.environment(), "PYTHONPATH": package}, timeout=60)

    def environment(self) -> dict[str, str]:
        """The environment that points any AWS client to this cloud."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "AWS_ENDPOINT_URL": self.cloud.endpoint_url,
            "AWS_CA_BUNDLE": str(self.cloud.ca_bundle),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ADMINISTRATOR,
            "AWS_SECRET_ACCESS_KEY": ADMINISTRATOR,
        }

    def redrive_by_sqs(self) -> None:
        """Moves the dead letters by an SQS message move task, as the console does."""
        arn = self.stack.outputs["DeadLetterQueueArn"]
        # The destination is needed, since SQS knows no source for a dead letter that a function sent.
        self._sqs.start_message_move_task(SourceArn=arn, DestinationArn=self.stack.outputs["SongRequestsQueueArn"])

        def moved() -> bool:
            tasks = self._sqs.list_message_move_tasks(SourceArn=arn)["Results"]
            return bool(tasks) and tasks[0]["Status"] == "COMPLETED"

        wait_for(moved, "the dead letters to be moved")

    def in_queue(self) -> int:
        """Messages on the request queue, waiting or in flight."""
        return self._count(self.queue_url)

    def _count(self, url: str) -> int:
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return sum(int(count) for name, count in attributes.items() if name.startswith("ApproximateNumberOf"))

    def wait_until_empty(self, seconds: float = 60) -> None:
        wait_for(lambda: self.in_queue() == 0, "the request queue to be empty", seconds)

    def clear(self) -> None:
        for output, url in self.stack.outputs.items():
            if output.endswith("QueueUrl"):
                self._sqs.purge_queue(QueueUrl=url)

    def log(self, since: float = 0) -> str:
        """The logs of all functions from this moment on (seconds since 1970), which include their metrics."""
        events = self.cloud.client("logs").get_paginator("filter_log_events")
        groups = [name for output, name in self.stack.outputs.items() if output.endswith("LogGroup")]
        pages = (page for group in groups for page in events.paginate(logGroupName=group, startTime=int(since * 1000)))
        return "\n".join(event["message"] for page in pages for event in page["events"])


def _ids_of(letter: Letter) -> set[str | None]:
    return {letter.attributes.get("request_id"), letter.attributes.get("first_message_id"), letter.message_id}


def sample(name: str) -> str:
    """A sample of events/: the body of a message."""
    return Path(EVENTS, name).read_text(encoding="utf-8")
