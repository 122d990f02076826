"""Lists requests of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING

import click

from song_intake.commands.options import Count, Moment, ReasonCode, StatusName
from song_intake.commands.program import OperatorCommand
from song_intake.commands.rows import RowFilter, all_rows, row_line, rows_in_doubt
from song_intake.commands.stack import Target
from song_intake.commands.terminal import print_json, print_line, print_note
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status

if TYPE_CHECKING:
    from song_intake.commands.rows import ReadRow

_MOST_READ = 10_000
_MOST_SHOWN = 100

# An eventually consistent read of 8 KiB is one unit.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/provisioned-capacity-mode.html
_BYTES_A_UNIT = 8192


@click.command("list", cls=OperatorCommand)
@click.option(
    "--status",
    type=StatusName(),
    metavar="STATUS",
    help="Only requests of this status.",
)
@click.option("--since", type=Moment(), help="Only requests that changed their status at or after this time.")
@click.option("--reason", type=ReasonCode(), help="Only requests with this reason.")
@click.option("--limit", type=Count(), default=_MOST_SHOWN, show_default=True, help="Show at most so many.")
@click.option("--read", type=Count(), default=_MOST_READ, show_default=True, help="Read at most so many rows.")
@click.pass_obj
def list_requests(
    target: Target, status: Status | None, since: float | None, reason: Reason | None, limit: int, read: int
) -> None:
    """List requests, one line each: status, last change, id, reason.

    Requests IN_DOUBT come from an index, oldest first. For any other status rows of the whole ledger are read, in no
    order, which costs read units: see --read.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      list --status IN_DOUBT
      list --status FAILED --since 2026-07-01T00:00:00Z
      list --reason REFUSED --limit 20 --json
    """
    table, wanted = target.output("LedgerTableName"), RowFilter(status, since, reason)
    if status is Status.IN_DOUBT:
        rows = rows_in_doubt(target.dynamodb, table)
    else:
        _note_cost(target, table, read)
        rows = _at_most(all_rows(target.dynamodb, table), read)
    found = list(islice(filter(wanted.has, rows), limit + 1))
    if status is not Status.IN_DOUBT:
        found.sort(key=lambda row: str(row.get("updated_at", "")))
    shown = found[:limit]
    if target.is_json:
        print_json(shown)
    else:
        for row in shown:
            print_line(row_line(row))
    print_note(f"{len(shown)} shown" + (f", and there are more: use --limit above {limit}" if found[limit:] else ""))


def _note_cost(target: Target, table: str, read: int) -> None:
    described = target.dynamodb.describe_table(TableName=table)["Table"]
    rows, size = described.get("ItemCount", 0), described.get("TableSizeBytes", 0)
    part = min(1.0, read / rows) if rows else 1.0
    print_note(f"reading up to {read:,} rows of about {rows:,}: some {ceil(size * part / _BYTES_A_UNIT):,} read units")


def _at_most(rows: Iterator[ReadRow], count: int) -> Iterator[ReadRow]:
    yield from islice(rows, count)
    if next(rows, None) is not None:
        rows_read = "1 row" if count == 1 else f"{count:,} rows"
        print_note(f"stopped after {rows_read}, and there are more: use --read above {count}")
