"""Access to a deployed stack for the operators' commands: its outputs, and invocations of its functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from song_intake.commands.terminal import print_line

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Longer than the timeout of any function for operators, and no second attempt: two invocations would do the work twice.
PATIENT = Config(read_timeout=160, retries={"total_max_attempts": 1})

# A response with one of these members means that the function did not execute the command.
_FAILED = frozenset(("refused", "error"))


def outputs_of(stack: str) -> dict[str, str]:
    """The outputs of the stack, by name."""
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def functions() -> LambdaClient:
    """The client that invokes functions. It waits for the longest of them."""
    return boto3.client("lambda", config=PATIENT)


def caller() -> str:
    """The ARN of the operator who runs the command."""
    return str(boto3.client("sts").get_caller_identity()["Arn"])


def invoke(functions: LambdaClient, function_name: str, event: Mapping[str, object]) -> tuple[dict[str, object], bool]:
    """Invoke a function. Returns its response, and whether it executed the command."""
    answer = functions.invoke(FunctionName=function_name, Payload=json.dumps(event))
    response = json.loads(answer["Payload"].read())
    return response, "FunctionError" not in answer and not _FAILED & set(response)


def print_response(response: Mapping[str, object]) -> None:
    """Print a response as JSON."""
    for line in json.dumps(response, indent=2, ensure_ascii=False).split("\n"):
        print_line(line)
