"""Waits until a request has ended."""

from __future__ import annotations

import time

import click

from song_intake.commands.options import Count, RequestId
from song_intake.commands.program import FAILED, OperatorCommand
from song_intake.commands.rows import ENDED, detail_lines, row_line, row_of
from song_intake.commands.stack import Target
from song_intake.commands.terminal import print_json, print_line, print_note
from song_intake.domain.status import Status

NOT_IN_TIME = 3
"""The exit code of a wait that was too short."""

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 10.0
_GROWTH = 1.5


@click.command(cls=OperatorCommand)
@click.argument("request_id", metavar="ID", type=RequestId())
@click.option("--seconds", type=Count(), default=600, show_default=True, help="How long to wait.")
@click.pass_obj
def wait(target: Target, request_id: str, seconds: int) -> int:
    """Wait until a request has ended, and show it. Each status on the way is a line on the standard error.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      wait order-1042:song-1
      wait order-1042:song-1 --seconds 60 --json

    Exit codes: 0 SUCCEEDED; 1 FAILED or REJECTED; 3 not ended in time.
    """
    table, until, pause, status = target.output("LedgerTableName"), time.monotonic() + seconds, _FIRST_PAUSE, ""
    while True:
        row = row_of(target.dynamodb, table, request_id)
        if row is not None and row["status"] in ENDED:
            for line in (row_line(row), *detail_lines(row)) if not target.is_json else ():
                print_line(line)
            if target.is_json:
                print_json(row)
            return 0 if row["status"] == Status.SUCCEEDED else FAILED
        if status != (status := row["status"] if row else "not in the ledger yet (was it refused? see letters)"):
            print_note(row_line(row) if row else f"{request_id} is {status}")
        left = until - time.monotonic()
        if left <= 0:
            print_note(f"{request_id} has not ended within {seconds} s: it is {status}")
            return NOT_IN_TIME
        time.sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)
