"""The operators' program: python -m song_intake.commands --stack NAME COMMAND ..."""

import os
import sys
from pathlib import Path

import click

from song_intake.commands.cancel import cancel
from song_intake.commands.doctor import doctor
from song_intake.commands.intake import intake
from song_intake.commands.letters import letters
from song_intake.commands.list_requests import list_requests
from song_intake.commands.program import OperatorGroup, run, shared_options
from song_intake.commands.redrive import redrive
from song_intake.commands.resolve import resolve
from song_intake.commands.send import send
from song_intake.commands.show import show
from song_intake.commands.usage import usage
from song_intake.commands.wait import wait

program = OperatorGroup(
    name="commands",
    params=shared_options(hidden=False),
    no_args_is_help=True,
    context_settings={"max_content_width": 100},
    help="""Operate a deployed song intake.

    The answer is on the standard output; which account and region it is from, on the standard error. Times are in UTC.
    The options below may also follow the command.

    \b
    Examples, with a stack named songs:
      python -m song_intake.commands --stack songs list --status IN_DOUBT
      python -m song_intake.commands --stack songs show order-1042:song-1 --json
      python -m song_intake.commands --stack songs letters
    """,
    epilog="""Exit codes: 0 done; 1 failed, refused, or no such thing; 2 not understood; 3 not ended in time;
    130 Ctrl-C; 141 the reader of the output has gone.""",
)

# In the order of the help: what every operator needs comes first.
_COMMANDS: tuple[click.Command, ...] = (
    send,
    show,
    wait,
    list_requests,
    letters,
    redrive,
    resolve,
    cancel,
    intake,
    usage,
    doctor,
)
for _command in _COMMANDS:
    program.add_command(_command)


def main() -> int:
    """Run the program with the arguments of this process. Returns the exit code."""
    # One that the shell closed (`>&-`) is None. The null device is as good as closed, and can be asked.
    sys.stdin, sys.stdout, sys.stderr = (
        stream or Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - open until the process ends
        for stream, mode in ((sys.stdin, "r"), (sys.stdout, "w"), (sys.stderr, "w"))
    )
    for stream in (sys.stdout, sys.stderr):
        # What the terminal's encoding lacks is shown as an escape.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    return run(program, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
