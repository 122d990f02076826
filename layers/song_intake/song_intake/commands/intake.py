"""Shows the state of the intake, or switches it manually and records the operator's ARN:

    python -m song_intake.commands.intake STACK [--off | --on]

Prints the response as JSON. Exit code 1: the command failed. An intake that is switched off manually stays off until it
is switched on manually.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from song_intake.commands.options import add_flag
from song_intake.commands.stack import caller, functions, invoke, outputs_of, print_response


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns the exit code."""
    given = _parsed(arguments)
    command = "off" if given.off else "on" if given.on else "status"
    name = outputs_of(given.stack)["SwitchIntakeFunctionName"]
    response, is_done = invoke(functions(), name, {"intake": command, "by": caller()})
    print_response(response)
    return 0 if is_done else 1


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m song_intake.commands.intake",
        description="Show or switch the intake of song requests.",
        allow_abbrev=False,
    )
    parser.add_argument("stack")
    add_flag(parser, "--off", "leave requests on the queue")
    add_flag(parser, "--on", "submit requests again")
    given = parser.parse_args(arguments)
    if given.off and given.on:
        parser.error("use --off or --on, not both")
    return given


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
