"""A deployed stack, as an operator's machine calls it: its outputs, and an invocation of one of its functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# The members by which a function answers that it did not do what was asked.
_FAILED = frozenset(("refused", "error"))


def outputs_of(stack: str) -> dict[str, str]:
    """The outputs of the stack, by name."""
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def caller() -> str:
    """The ARN of whoever runs the command."""
    return str(boto3.client("sts").get_caller_identity()["Arn"])


def invoke(functions: LambdaClient, function_name: str, event: Mapping[str, object]) -> tuple[dict[str, object], bool]:
    """The function's response, and whether it did what was asked."""
    answer = functions.invoke(FunctionName=function_name, Payload=json.dumps(event))
    response = json.loads(answer["Payload"].read())
    return response, "FunctionError" not in answer and not _FAILED & set(response)


def print_response(response: Mapping[str, object]) -> None:
    print(json.dumps(response, indent=2, ensure_ascii=False))  # noqa: T201 - what a command is run for
