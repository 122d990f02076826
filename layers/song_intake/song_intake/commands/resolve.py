"""Sends an operator's decision to resolve_song, with the operator's ARN:

    python -m song_intake.commands.resolve STACK --list
    python -m song_intake.commands.resolve STACK --request ID --task TASK
    python -m song_intake.commands.resolve STACK --request ID --not-created

Prints the response as JSON. Exit code 1: the decision was refused, or the call failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import boto3

from song_intake.commands.stack import caller, invoke, outputs_of, print_response


def event_of(arguments: argparse.Namespace, by: str) -> dict[str, object]:
    """The event for resolve_song. `by` is stored on the row."""
    if arguments.list:
        return {"list": "IN_DOUBT"}
    event: dict[str, object] = {"request_id": arguments.request, "by": by}
    return {**event, "not_created": True} if arguments.not_created else {**event, "task_id": arguments.task}


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns the exit code."""
    given = _parsed(arguments)
    name = outputs_of(given.stack)["ResolveSongFunctionName"]
    response, is_done = invoke(boto3.client("lambda"), name, event_of(given, caller()))
    print_response(response)
    return 0 if is_done else 1


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m song_intake.commands.resolve", description="Resolve a request in doubt."
    )
    parser.add_argument("stack")
    parser.add_argument("--request", metavar="ID", help="the request's id, as on its row")
    decision = parser.add_mutually_exclusive_group(required=True)
    decision.add_argument("--list", action="store_true", help="list the requests in doubt")
    decision.add_argument("--task", help="the song exists, with this task id of the music API")
    decision.add_argument("--not-created", action="store_true", help="the song does not exist")
    given = parser.parse_args(arguments)
    if given.list == bool(given.request):
        parser.error("use --request with --task or --not-created, or only --list")
    return given


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
