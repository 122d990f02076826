"""Shows the state of the intake, or switches it manually and records the operator's ARN:

    python -m song_intake.commands.intake STACK [--off | --on]

Prints the response as JSON. Exit code 1: the command failed. An intake that is switched off manually stays off until it
is switched on manually.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import boto3

from song_intake.commands.stack import caller, invoke, outputs_of, print_response


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns the exit code."""
    given = _parsed(arguments)
    name = outputs_of(given.stack)["SwitchIntakeFunctionName"]
    response, is_done = invoke(boto3.client("lambda"), name, {"intake": given.command, "by": caller()})
    print_response(response)
    return 0 if is_done else 1


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m song_intake.commands.intake",
        description="Show or switch the intake of song requests.",
        allow_abbrev=False,
    )
    parser.add_argument("stack")
    command = parser.add_mutually_exclusive_group()
    command.add_argument("--off", action="store_const", dest="command", const="off", help="leave requests on the queue")
    command.add_argument("--on", action="store_const", dest="command", const="on", help="submit requests again")
    parser.set_defaults(command="status")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
