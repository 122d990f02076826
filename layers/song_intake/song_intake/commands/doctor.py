"""Checks a deployed stack. Only this command needs the packages of the functions: it reads settings by their code."""

from __future__ import annotations

from importlib import import_module

import click

from song_intake.commands.program import OperatorCommand
from song_intake.commands.stack import CommandFailed, Target


@click.command(cls=OperatorCommand)
@click.option("--paid", "is_paid", is_flag=True, help="Have one song created too, and pay for it.")
@click.pass_obj
def doctor(target: Target, *, is_paid: bool) -> int:
    """Check a deployed stack: one line for each check, and what to do about one that failed.

    Nothing is paid for without --paid. Each check removes what it made.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      doctor
      doctor --paid

    Exit code 1: a check failed.
    """
    try:
        diagnosis = import_module("song_intake.commands.diagnosis")
        deployed = import_module("song_intake.commands.deployed")
    except ModuleNotFoundError as missing:
        raise CommandFailed(
            f"the doctor also needs {missing.name}: pip install -r layers/dependencies/requirements.txt"
        ) from None
    stack = deployed.described_stack(target, deployed.Waiting(), deployed.post_by_requests)
    code: int = diagnosis.diagnose(stack, is_paid=is_paid, is_json=target.is_json)
    return code
