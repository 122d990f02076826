"""A deployed stack as the doctor's checks reach it: its description, its clients, and the time to wait."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

import requests

from song_intake.commands.checkup import CheckSkipped
from song_intake.commands.stack import PATIENT, invoke

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient

    from song_intake.commands.stack import Target

Post = Callable[[str, Mapping[str, str], bytes], int]
"""Sends a POST to a URL, with headers and a body. Returns the HTTP status."""

_Found = TypeVar("_Found")

SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long a check waits for what AWS and the functions do, in seconds."""

    short: float = 120.0
    """For one message, one switch of the mapping, one alarm."""
    song: float = 1200.0
    """For a song, from its message to its end."""
    interval: float = 3.0
    """Between two reads of the same thing."""


@dataclass(frozen=True, eq=False, repr=False)  # without slots, for the cached properties
class DeployedStack:
    """One stack, and everything that is needed to reach it."""

    session: boto3.Session
    name: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    waiting: Waiting
    post: Post

    @cached_property
    def functions(self) -> LambdaClient:
        """A client that waits for the longest function."""
        return self.session.client("lambda", config=PATIENT)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self.session.client("dynamodb")

    @cached_property
    def caller(self) -> str:
        """The ARN of the operator."""
        return str(self.session.client("sts").get_caller_identity()["Arn"])

    @property
    def table(self) -> str:
        """The name of the ledger's table."""
        return self.outputs["LedgerTableName"]

    def switch_intake(self, command: str) -> tuple[dict[str, object], bool]:
        """Send a command to switch_intake, as `make intake` does. Returns its response, and whether it succeeded."""
        name = self.outputs["SwitchIntakeFunctionName"]
        return invoke(self.functions, name, {"intake": command, "by": self.caller})

    def require_open_intake(self) -> None:
        """Raises CheckSkipped if requests are not delivered now: a message of the doctor would wait with the others."""
        response, _ = self.switch_intake("status")
        if response.get("mapping") != "Enabled":
            raise CheckSkipped(f"the intake is not open ({why_closed(response)}): run the doctor again when it is")

    def resource_id(self, logical_id: str) -> str:
        """The physical id of a resource."""
        described = self.session.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return described["StackResourceDetail"]["PhysicalResourceId"]

    def row_attributes(self, request_id: str) -> dict[str, object]:
        """The attributes of a row, with plain values; empty if there is no row."""
        item = self.dynamodb.get_item(
            TableName=self.table, Key={"request_id": {"S": request_id}}, ConsistentRead=True
        ).get("Item", {})
        return {name: next(iter(value.values())) for name, value in item.items()}

    def wait_for(self, find: Callable[[], _Found | None], seconds: float | None = None) -> _Found | None:
        """What `find` returns once it is something; None after the time is over."""
        until = time.monotonic() + (self.waiting.short if seconds is None else seconds)
        while True:
            found = find()
            if found is not None or time.monotonic() > until:
                return found
            time.sleep(self.waiting.interval)


def described_stack(target: Target, waiting: Waiting, post: Post) -> DeployedStack:
    """The stack of a command. Raises CommandFailed and AWS_FAILURES."""
    stack = target.described
    return DeployedStack(
        session=target.session,
        name=stack["StackName"],
        status=stack["StackStatus"],
        outputs=target.outputs,
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])},
        waiting=waiting,
        post=post,
    )


def new_doctor_id(purpose: str) -> str:
    """An id of the doctor's own, that no request has. Its colon shows what happens to an encoded path."""
    return f"doctor-{uuid.uuid4().hex}:{purpose}"


def in_a_day() -> str:
    """The expiry of a row that the doctor writes, in seconds since 1970: if a crash leaves one, it expires soon."""
    return str(int(time.time()) + SECONDS_A_DAY)


def why_closed(response: Mapping[str, object]) -> str:
    """Why the intake is not open, from a response of switch_intake."""
    if "mapping" not in response:
        return str(response.get("error") or response.get("errorMessage") or "switch_intake failed")
    switched = cast("Mapping[str, object]", response.get("switched") or {})
    reason = f", {switched['reason']}" if "reason" in switched else ""
    by = f", by {switched['by']}" if "by" in switched else ""
    return f"{response['mapping']}{reason}{by}"


def post_by_requests(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Send a POST, and follow no redirect. Raises OSError."""
    return requests.post(url, data=body, headers=dict(headers), timeout=30, allow_redirects=False).status_code
