"""Shows what the ledger knows of one request."""

from __future__ import annotations

import click

from song_intake.commands.options import RequestId
from song_intake.commands.program import OperatorCommand
from song_intake.commands.rows import detail_lines, row_line, row_of
from song_intake.commands.stack import CommandFailed, Target
from song_intake.commands.terminal import print_json, print_line


@click.command(cls=OperatorCommand)
@click.argument("request_id", metavar="ID", type=RequestId())
@click.pass_obj
def show(target: Target, request_id: str) -> None:
    """Show one request: its status, when that last changed, its reason and its clips.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      show order-1042:song-1
      show order-1042:song-1 --json

    Exit code 1: the ledger has no such request. It may wait in the queue, or have been refused (see letters).
    """
    row = row_of(target.dynamodb, target.output("LedgerTableName"), request_id)
    if row is None:
        raise CommandFailed(f"no request {request_id}: it may wait in the queue, or have been refused (see letters)")
    if target.is_json:
        print_json(row)
        return
    for line in (row_line(row), *detail_lines(row)):
        print_line(line)
