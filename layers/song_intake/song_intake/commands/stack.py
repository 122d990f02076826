"""The deployed stack that a command is for: its outputs, its clients, and invocations of its functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import boto3
import click
from botocore.config import Config
from botocore.exceptions import ClientError

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.commands.checkup import DENIED
from song_intake.commands.terminal import print_note

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

_Client = TypeVar("_Client")

# Longer than the timeout of any function for operators, and no second attempt: two invocations would do the work twice.
PATIENT = Config(read_timeout=160, retries={"total_max_attempts": 1})

# A person waits: an address that does not answer is reported within seconds, after three attempts (AWS_MAX_ATTEMPTS).
_PROMPT = Config(connect_timeout=4, read_timeout=30, retries={"mode": "standard"})

# A response with one of these members means that the function did not execute the command.
_FAILED = frozenset(("refused", "error"))

# How the description of the template begins.
_DESCRIPTION = "Song intake."
_MOST_STACKS_NAMED = 5


class CommandFailed(Exception):
    """Ends a command with exit code 1. The text is one line for the operator."""


@dataclass(eq=False, repr=False)  # without slots, for the cached properties
class Target:
    """Which stack a command is for, with whose credentials, and how its answer is printed."""

    stack: str | None = None
    region: str | None = None
    profile: str | None = None
    is_json: bool = False

    @cached_property
    def session(self) -> boto3.Session:
        return boto3.Session(profile_name=self.profile, region_name=self.region)

    @property
    def name(self) -> str:
        """The name of the stack. No command has a default, since a typo would act on another stack."""
        if not self.stack:
            raise click.UsageError("name the stack: --stack NAME (for make: STACK=NAME)")
        return self.stack

    @cached_property
    def described(self) -> StackTypeDef:
        """The stack. Notes its account and region. Raises CommandFailed if there is none, and AWS_FAILURES."""
        name, cloudformation = self.name, _made(lambda: self.session.client("cloudformation", config=_PROMPT))
        try:
            stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as failure:
            region = self.session.region_name
            if code_of(failure) in DENIED:
                # OperatorPolicyArn permits it for its own stack, so a typo is denied as well.
                raise CommandFailed(
                    f"you may not describe a stack {name!r} in {region}: "
                    "check the name; the output OperatorPolicyArn of the stack is a policy that permits it"
                ) from None
            if "does not exist" not in str(failure):
                raise
            raise CommandFailed(f"there is no stack {name!r} in {region}{_others(cloudformation, name)}") from None
        _, _, _, region, account, *_ = stack["StackId"].split(":")
        print_note(f"{name} in account {account}, {region}")
        return stack

    @cached_property
    def outputs(self) -> dict[str, str]:
        return {output["OutputKey"]: output["OutputValue"] for output in self.described.get("Outputs", [])}

    def output(self, name: str) -> str:
        """Raises CommandFailed if the stack has no such output."""
        if name not in self.outputs:
            raise CommandFailed(f"{self.name} has no output {name}: is it a song intake, of this release?")
        return self.outputs[name]

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return _made(lambda: self.session.client("dynamodb", config=_PROMPT))

    @cached_property
    def sqs(self) -> SQSClient:
        return _made(lambda: self.session.client("sqs", config=_PROMPT))

    @cached_property
    def functions(self) -> LambdaClient:
        """The client that invokes functions. It waits for the longest of them."""
        return _made(lambda: self.session.client("lambda", config=PATIENT))

    @cached_property
    def caller(self) -> str:
        """The ARN of the operator who runs the command."""
        return str(_made(lambda: self.session.client("sts", config=_PROMPT)).get_caller_identity()["Arn"])


def _made(make: Callable[[], _Client]) -> _Client:
    """A client. Raises CommandFailed for a setting that botocore cannot read: it has no exception of its own for it."""
    try:
        return make()
    except AWS_FAILURES:
        raise
    except ValueError as failure:  # of AWS_ENDPOINT_URL or AWS_MAX_ATTEMPTS, say
        settings = "the AWS_* variables and the profile"
        raise CommandFailed(f"a setting of the AWS SDK cannot be read ({failure}): check {settings}") from None


def _others(cloudformation: CloudFormationClient, name: str) -> str:
    """Which stacks there are instead, if the caller may list them."""
    try:
        stacks = cloudformation.describe_stacks()["Stacks"]
    except AWS_FAILURES:
        return ""
    names = [stack["StackName"] for stack in stacks if stack.get("Description", "").startswith(_DESCRIPTION)]
    if close := get_close_matches(name, names, n=1):
        return f"; did you mean {close[0]!r}?"
    shown = ", ".join(sorted(names)[:_MOST_STACKS_NAMED])
    return f"; the song intakes are {shown}" if shown else "; no stack there is a song intake"


def invoke(functions: LambdaClient, function_name: str, event: Mapping[str, object]) -> tuple[dict[str, object], bool]:
    """Invoke a function. Returns its response, and whether it executed the command."""
    answer = functions.invoke(FunctionName=function_name, Payload=json.dumps(event))
    response = json.loads(answer["Payload"].read())
    return response, "FunctionError" not in answer and not _FAILED & set(response)


def refusal_in(response: Mapping[str, object]) -> str:
    """Why a function did not execute a command, in one line."""
    return str(
        response.get("refused") or response.get("error") or response.get("errorMessage") or "the function failed"
    )
