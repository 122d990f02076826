"""Cancels one request through resolve_song, so that its song is never created:

    python -m song_intake.commands.cancel STACK --request ID [--by NAME]

It is accepted until a message claims the request, also before the request is received. A repeat is harmless. Prints the
response as JSON. Exit code 1: it was too late, or the call failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from song_intake.commands.options import request_id
from song_intake.commands.stack import caller, functions, invoke, outputs_of, print_response


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns the exit code."""
    given = _parsed(arguments)
    name = outputs_of(given.stack)["ResolveSongFunctionName"]
    event: dict[str, object] = {"request_id": given.request, "cancel": True, "by": given.by or caller()}
    response, is_done = invoke(functions(), name, event)
    print_response(response)
    return 0 if is_done else 1


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m song_intake.commands.cancel", description="Cancel a request.", allow_abbrev=False
    )
    parser.add_argument("stack")
    parser.add_argument("--request", metavar="ID", type=request_id, help="the request's id")
    parser.add_argument("--by", metavar="NAME", help="who cancels it; the ARN of the caller if it is left out")
    given = parser.parse_args(arguments)
    if not given.request:
        parser.error("name the request with --request")
    return given


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
