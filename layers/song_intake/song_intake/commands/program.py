"""The one program of operators: its options, its commands, and what it prints when a command cannot be done.

Exit codes: 0 done; 1 failed, refused, or no such thing; 2 not understood; 3 not ended in time; 130 Ctrl-C; 141 the
reader of the output has gone.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

import click
from click.exceptions import Exit, NoArgsIsHelpError

from song_intake.aws.failure import AWS_FAILURES
from song_intake.commands.failure_lines import failure_line
from song_intake.commands.stack import CommandFailed, Target
from song_intake.commands.terminal import print_note

FAILED, MISUSED, INTERRUPTED, READER_GONE = 1, 2, 130, 141

PROGRAM = "python -m song_intake.commands"

WORDS = "--words"
"""`make` passes the words of ARGS as one text after this: no shell has read it, and quotes keep blanks together."""


def shared_options(*, hidden: bool) -> list[click.Parameter]:
    """The options of the program. They may also follow the command."""

    def store(context: click.Context, option: click.Parameter, value: object) -> None:
        if value and option.name:
            setattr(context.ensure_object(Target), option.name, value)

    def option(*names: str, **given: object) -> click.Option:
        return click.Option(names, expose_value=False, callback=store, hidden=hidden, **given)  # type: ignore[arg-type]

    return [
        option("--stack", metavar="NAME", help="The stack. Every command needs it; there is no default."),
        option(
            "--region",
            metavar="REGION",
            envvar=None if hidden else ["AWS_REGION", "AWS_DEFAULT_REGION"],
            help="The region; else AWS_REGION, AWS_DEFAULT_REGION, or that of the profile.",
        ),
        option(
            "--profile", metavar="NAME", help="The profile of the AWS credentials; else AWS_PROFILE or the default."
        ),
        option("--json", "is_json", is_flag=True, help="Print everything, as JSON."),
    ]


class OperatorCommand(click.Command):
    """A command that also reads the program's options."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *shared_options(hidden=True)]


class OperatorGroup(click.Group):
    """Commands below one name. A typo is answered by the nearest name."""

    command_class = OperatorCommand

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order in which they were added, not of the alphabet."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            self._refuse(args[0], ctx)
        return super().resolve_command(ctx, args)

    def _refuse(self, typed: str, context: click.Context) -> NoReturn:
        names = self.list_commands(context)
        close = get_close_matches(typed, names, n=1)
        instead = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names)}"
        raise click.UsageError(f"no command {typed!r}; {instead}", context)


def run(program: click.Group, arguments: Sequence[str]) -> int:
    """Run a command. Returns the exit code. Whatever fails is reported in one line."""
    try:
        with program.make_context(PROGRAM, _words(arguments), obj=Target()) as context:
            code: int | None = program.invoke(context)
            sys.stdout.flush()
        return code or 0  # noqa: TRY300 - each way out is a return
    except Exit as ended:
        return ended.exit_code
    except NoArgsIsHelpError as shown:
        shown.show()
        return MISUSED
    except click.ClickException as failure:
        return _failed(f"Error: {failure.format_message()}", failure.exit_code)
    except CommandFailed as failure:
        return _failed(f"Error: {failure}")
    except AWS_FAILURES as failure:
        return _failed(f"Error: {failure_line(failure)}")
    except (KeyboardInterrupt, click.Abort):
        return _failed("Interrupted.", INTERRUPTED)
    except BrokenPipeError:
        # Else Python reports at its end that the output could not be flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE


def _failed(line: str, code: int = FAILED) -> int:
    print_note(line)
    return code


def _words(arguments: Sequence[str]) -> list[str]:
    if WORDS not in arguments:
        return list(arguments)
    at = list(arguments).index(WORDS)
    try:
        return [*arguments[:at], *(word for text in arguments[at + 1 :] for word in shlex.split(text))]
    except ValueError as failure:
        raise click.UsageError(f"the words of ARGS cannot be read: {failure}") from None


def confirm(question: str, *, is_confirmed: bool) -> None:
    """Ask before what cannot be undone. Raises CommandFailed if the operator does not agree or cannot be asked."""
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise CommandFailed(
            "there is no terminal to confirm this in: use --yes (for make: YES=1). Nothing was changed."
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201 - no line of the answer
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandFailed("Nothing was changed.")
