"""Shows how many creates of a UTC day each sender has used."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click

from song_intake.admission.budget_item import BudgetItem, BudgetLimits, Usage, day_of
from song_intake.commands.options import Day
from song_intake.commands.program import OperatorCommand
from song_intake.commands.stack import CommandFailed, Target
from song_intake.commands.terminal import print_json, print_line
from song_intake.ledger.table import LedgerUnavailable

_OF_STACK, _OF_SENDER = "CreatesPerDay", "CreatesPerDayAndSender"


@click.command(cls=OperatorCommand)
@click.option("--day", type=Day(), help="A UTC day such as 2026-07-01; today if it is left out.")
@click.pass_obj
def usage(target: Target, day: str | None) -> None:
    """Show the creates of a UTC day by sender, against the limits. Those with an unknown outcome count too.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      usage
      usage --day 2026-07-01 --json
    """
    wanted, table = day or day_of(time.time()), target.output("LedgerTableName")
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in target.described.get("Parameters", [])}
    limits = BudgetLimits(int(parameters.get(_OF_STACK, "0")), int(parameters.get(_OF_SENDER, "0")))
    try:
        used = BudgetItem(target.dynamodb, table, limits).read(wanted)
    except LedgerUnavailable as failure:
        raise CommandFailed(f"the ledger could not be read ({failure}): you need dynamodb:GetItem on it") from None
    if target.is_json:
        shown = {"day": wanted, "used": used.used, "by_sender": dict(used.by_sender)}
        print_json({**shown, "limits": {"stack": limits.stack, "sender": limits.sender}})
        return
    for line in usage_lines(wanted, used, limits):
        print_line(line)


def usage_lines(wanted: str, usage: Usage, limits: BudgetLimits) -> Iterator[str]:
    """The report: the stack first, then the senders, those with the most creates first."""
    if not limits.stack and not limits.sender:
        yield f"No creates are counted: set {_OF_STACK} or {_OF_SENDER}."
        if not usage.used:
            return
    yield f"Creates on {wanted} (UTC):"
    senders = sorted(usage.by_sender.items(), key=lambda one: (-one[1], one[0]))
    width = max(len(name) for name in ("stack", *usage.by_sender))
    yield _line("stack", width, usage.used, limits.stack)
    for name, used in senders:
        yield _line(name, width, used, limits.sender)


def _line(name: str, width: int, used: int, limit: int) -> str:
    share = f" of {limit}, {100 * used // limit} %" if limit else ", no limit"
    return f"{name:<{width}}  {used}{share}"
