"""Lists the dead letters without removing them, and discards those that are dealt with."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from song_intake.commands.dead_letter_queue import MOST_LETTERS_READ, delete_letters, held_letters
from song_intake.commands.options import Count, ReasonCode
from song_intake.commands.program import FAILED, OperatorCommand, OperatorGroup, confirm, shared_options
from song_intake.commands.stack import CommandFailed, Target
from song_intake.commands.terminal import print_json, print_line, print_note, printable
from song_intake.domain.reason import Reason

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from song_intake.commands.dead_letter_queue import DeadLetterShown

DEAD_LETTER_QUEUES: Final = {
    "requests": "DeadLetterQueueUrl",
    "checks": "CheckDeadLetterQueueUrl",
    "recordings": "RecordingDeadLetterQueueUrl",
}
"""The output with the address of each queue. A stack that keeps no recordings has no letters about them."""

_NARROWEST = 80

_queue_option = click.option(
    "--queue",
    type=click.Choice([*DEAD_LETTER_QUEUES]),
    help="Only the letters of requests, of checks or of recordings.",
)
_reason_option = click.option("--reason", type=ReasonCode(), help="Only letters with this reason.")


@click.group(cls=OperatorGroup, invoke_without_command=True, params=shared_options(hidden=True))
@_queue_option
@_reason_option
@click.option(
    "--limit", type=Count(), default=MOST_LETTERS_READ, show_default=True, help="Read at most so many of a queue."
)
@click.pass_context
def letters(context: click.Context, queue: str | None, reason: Reason | None, limit: int) -> None:
    """List the dead letters, one line each: age, reason, request, detail. They stay where they are.

    A letter that SQS moved itself has the reason UNFORESEEN. Letters are hidden from others while they are read.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      letters
      letters --reason INVALID_REQUEST --json
      letters discard --reason INVALID_REQUEST
    """
    if context.invoked_subcommand is not None:
        _refuse_options_of_the_list(context)
        return
    target = context.ensure_object(Target)
    with _held(target, queue, limit) as held:
        found = [letter for letter in held if reason in (None, letter.reason)]
    if target.is_json:
        print_json([letter.as_json() for letter in found])
    else:
        _print_letters(found)
    print_note("1 dead letter" if len(found) == 1 else f"{len(found)} dead letters")
    _note_limit(held, limit)


@letters.command(cls=OperatorCommand)
@click.argument("message_ids", metavar="[MESSAGE_ID]...", nargs=-1)
@_queue_option
@_reason_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def discard(
    target: Target, message_ids: tuple[str, ...], queue: str | None, reason: Reason | None, *, yes: bool
) -> int:
    """Delete dead letters that are dealt with, by message id (see letters --json) or by reason, after a question.

    The request's row stays as it is. A discarded letter cannot be redriven.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      letters discard 5fea7756-0ea4-451a-a703-a558b933e274
      letters discard --reason INVALID_REQUEST --yes
    """
    if not message_ids and reason is None:
        raise click.UsageError("name the letters: MESSAGE_ID or --reason CODE")
    with _held(target, queue, MOST_LETTERS_READ) as held:
        found = [
            letter
            for letter in held
            if reason in (None, letter.reason) and (not message_ids or letter.message_id in message_ids)
        ]
        if missing := set(message_ids) - {letter.message_id for letter in found}:
            _note_limit(held, MOST_LETTERS_READ)
            raise CommandFailed(f"no dead letter {', '.join(sorted(missing))}. Nothing was changed.")
        _print_letters([] if target.is_json else found)
        if found:
            confirm(f"Discard {_these(found)} for good?", is_confirmed=yes)
        deleted = sum(
            delete_letters(target.sqs, target.output(output), [one for one in found if one.queue == name])
            for name, output in DEAD_LETTER_QUEUES.items()
            if output in target.outputs
        )
    if target.is_json:
        print_json({"discarded": deleted, "letters": [letter.as_json() for letter in found]})
    print_note(f"{deleted} discarded")
    _note_limit(held, MOST_LETTERS_READ)
    return 0 if deleted == len(found) else FAILED


def _refuse_options_of_the_list(context: click.Context) -> None:
    """In front of `discard` they would choose nothing, and letters of every queue would be deleted."""
    for name in context.params:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--{name} chooses nothing in front of a command: type its options behind it")


def _these(found: list[DeadLetterShown]) -> str:
    if len(found) == 1:
        return f"this letter of {found[0].queue}"
    counts = Counter(letter.queue for letter in found)
    parts = ", ".join(f"{counts[queue]} of {queue}" for queue in DEAD_LETTER_QUEUES if counts[queue])
    return f"these {len(found)} letters ({parts})"


def _note_limit(held: list[DeadLetterShown], limit: int) -> None:
    """Say where the reading stopped before the end of a queue."""
    counts = Counter(letter.queue for letter in held)
    for queue in DEAD_LETTER_QUEUES:
        if counts[queue] >= limit:
            print_note(f"stopped after {limit:,} letters of {queue}: there may be more")


def _held(target: Target, queue: str | None, limit: int) -> AbstractContextManager[list[DeadLetterShown]]:
    names = [queue] if queue else [name for name, output in DEAD_LETTER_QUEUES.items() if output in target.outputs]
    return held_letters(target.sqs, {name: target.output(DEAD_LETTER_QUEUES[name]) for name in names}, limit)


def _print_letters(found: list[DeadLetterShown]) -> None:
    """One line each. A detail is cut at the width of the terminal; --json has it whole."""
    width = max(shutil.get_terminal_size((_NARROWEST, 24)).columns, _NARROWEST)
    for letter in found:
        line = printable(f"{letter.age:>6}  {letter.reason}  {letter.request_id or letter.message_id}")
        rest = printable(letter.detail or "")
        print_line(line + (f"  {rest}"[: max(width - len(line), 0)].rstrip() if rest else ""))
