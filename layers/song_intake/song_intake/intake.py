"""Says how the intake stands, and switches it by hand, under the operator's own name:

    python -m song_intake.intake STACK [--off | --on]

Prints the answer as JSON. Exit code 1: the word did not get through. What is switched off by hand stays off until it is
switched on by hand.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

import boto3

from song_intake.resolve import resolve


def main(arguments: Sequence[str]) -> int:
    given = _parsed(arguments)
    described = boto3.client("cloudformation").describe_stacks(StackName=given.stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    word = {"intake": given.word, "by": boto3.client("sts").get_caller_identity()["Arn"]}
    said, is_taken = resolve(boto3.client("lambda"), outputs["SwitchIntakeFunctionName"], word)
    print(json.dumps(said, indent=2, ensure_ascii=False))  # noqa: T201 - what it is run for
    return 0 if is_taken else 1


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m song_intake.intake", description="The intake of song requests.", allow_abbrev=False
    )
    parser.add_argument("stack")
    word = parser.add_mutually_exclusive_group()
    word.add_argument("--off", action="store_const", dest="word", const="off", help="leave the requests on their queue")
    word.add_argument("--on", action="store_const", dest="word", const="on", help="submit them again")
    parser.set_defaults(word="status")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
