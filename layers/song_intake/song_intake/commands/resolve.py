"""Sends an operator's decisions to resolve_song, with the operator's ARN:

    python -m song_intake.commands.resolve STACK --list
    python -m song_intake.commands.resolve STACK --request ID --task TASK
    python -m song_intake.commands.resolve STACK --request ID --not-created
    python -m song_intake.commands.resolve STACK --since TIME --until TIME --reason CODE --not-created [--yes]

The last form resolves every doubt of a time span and reason, after it has listed them and asked. The other forms print
the response as JSON. Exit code 1: a decision was refused or not confirmed, or a call failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from song_intake.commands.bulk import resolve_in_bulk
from song_intake.commands.doubts import DoubtSelection, ListFailed, doubts
from song_intake.commands.options import add_flag, moment, reason_code, request_id
from song_intake.commands.stack import caller, functions, invoke, outputs_of, print_response

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns the exit code."""
    given = _parsed(arguments)
    name = outputs_of(given.stack)["ResolveSongFunctionName"]
    client = functions()
    try:
        if given.list:
            print_response({"in_doubt": list(doubts(client, name))})
            return 0
        if given.request:
            return _resolve_one(client, name, given)
        selection = DoubtSelection(given.since, given.until, given.reason)
        return 0 if resolve_in_bulk(client, name, selection, caller(), is_confirmed=given.yes) else 1
    except ListFailed as failed:
        print_response(failed.response)
        return 1


def _resolve_one(client: LambdaClient, name: str, given: argparse.Namespace) -> int:
    event: dict[str, object] = {"request_id": given.request, "by": caller()}
    decision: dict[str, object] = {"not_created": True} if given.not_created else {"task_id": given.task}
    response, is_done = invoke(client, name, {**event, **decision})
    print_response(response)
    return 0 if is_done else 1


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m song_intake.commands.resolve", description="Resolve requests in doubt.", allow_abbrev=False
    )
    parser.add_argument("stack")
    add_flag(parser, "--list", "list the requests in doubt")
    parser.add_argument("--request", metavar="ID", type=request_id, help="the request's id, as on its row")
    parser.add_argument("--task", help="the song exists, with this task id of the music API")
    add_flag(parser, "--not-created", "the song does not exist")
    parser.add_argument("--since", metavar="TIME", type=moment, help="resolve the doubts from this time on")
    parser.add_argument("--until", metavar="TIME", type=moment, help="resolve the doubts before this time")
    parser.add_argument("--reason", metavar="CODE", type=reason_code, help="resolve the doubts with this reason")
    add_flag(parser, "--yes", "resolve the doubts of a time span without a question")
    given = parser.parse_args(arguments)
    if not _is_one_command(given):
        parser.error(
            "use --request with --task or --not-created; or --since, --until, --reason and --not-created, and perhaps "
            "--yes; or only --list"
        )
    if given.since is not None and given.since >= given.until:
        parser.error("--since must be before --until")
    return given


def _is_one_command(given: argparse.Namespace) -> bool:
    span = [given.since is not None, given.until is not None, given.reason is not None]
    if given.list:
        return not any([given.request, given.task, given.not_created, given.yes, *span])
    if given.request:
        return bool(given.task) != given.not_created and not any([given.yes, *span])
    return all(span) and given.not_created and not given.task


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
