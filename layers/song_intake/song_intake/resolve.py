"""Gives resolve_song an operator's word, under the operator's own name:

    python -m song_intake.resolve STACK --list
    python -m song_intake.resolve STACK --request ID --task TASK
    python -m song_intake.resolve STACK --request ID --not-created

Prints the answer as JSON. Exit code 1: the word was refused, or did not get through.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# By which an answer tells that the word was not taken.
NOT_TAKEN = frozenset(("refused", "error"))


def resolve(functions: LambdaClient, function_name: str, word: Mapping[str, object]) -> tuple[dict[str, object], bool]:
    """The function's answer, and whether it took the word."""
    answer = functions.invoke(FunctionName=function_name, Payload=json.dumps(word))
    said = json.loads(answer["Payload"].read())
    return said, "FunctionError" not in answer and not NOT_TAKEN & set(said)


def word_of(arguments: argparse.Namespace, by: str) -> dict[str, object]:
    """What is said to the function. `by` stays on the row."""
    if arguments.list:
        return {"list": "IN_DOUBT"}
    word: dict[str, object] = {"request_id": arguments.request, "by": by}
    return {**word, "not_created": True} if arguments.not_created else {**word, "task_id": arguments.task}


def main(arguments: Sequence[str]) -> int:
    given = _parsed(arguments)
    described = boto3.client("cloudformation").describe_stacks(StackName=given.stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    by = boto3.client("sts").get_caller_identity()["Arn"]
    said, is_taken = resolve(boto3.client("lambda"), outputs["ResolveSongFunctionName"], word_of(given, by))
    print(json.dumps(said, indent=2, ensure_ascii=False))  # noqa: T201 - what it is run for
    return 0 if is_taken else 1


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m song_intake.resolve", description="A word on a request in doubt.")
    parser.add_argument("stack")
    parser.add_argument("--request", metavar="ID", help="the request's id, as its row has it")
    word = parser.add_mutually_exclusive_group(required=True)
    word.add_argument("--list", action="store_true", help="the requests in doubt")
    word.add_argument("--task", help="the song exists: the music API's id of it")
    word.add_argument("--not-created", action="store_true", help="the song does not exist")
    given = parser.parse_args(arguments)
    if given.list == bool(given.request):
        parser.error("give --request with --task or --not-created, or --list alone")
    return given


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
