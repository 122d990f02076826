"""Shows the state of the intake, or switches it manually and records the operator's ARN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import click

from song_intake.commands.options import shown_moment
from song_intake.commands.program import OperatorCommand
from song_intake.commands.stack import CommandFailed, Target, invoke, refusal_in
from song_intake.commands.terminal import print_json, print_line


@click.command(cls=OperatorCommand)
@click.argument("state", type=click.Choice(["on", "off", "status"]), default="status", metavar="[on|off]")
@click.pass_obj
def intake(target: Target, state: str) -> None:
    """Show the intake, or switch it: whether requests are submitted, who switched that and why, and the balance.

    An intake that is switched off stays off until it is switched on. Requests wait in the queue meanwhile.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      intake
      intake off
    """
    name = target.output("SwitchIntakeFunctionName")
    response, is_done = invoke(target.functions, name, {"intake": state, "by": target.caller})
    if not is_done:
        raise CommandFailed(f"the intake was not {_done(state)}: {refusal_in(response)}")
    if target.is_json:
        print_json(response)
    else:
        print_line(_state_line(response))


def _done(state: str) -> str:
    return "read" if state == "status" else f"switched {state}"


def _state_line(response: Mapping[str, Any]) -> str:
    """The mapping, its last switch and the balance, such as "Enabled; on, by ... since 2026-...; 120 credits"."""
    account, switched = response["account"], cast("Mapping[str, Any]", response["switched"])
    total = account["credits"] + account["extra"] if "credits" in account else None
    balance = f"{total} credits" if total is not None else f"balance unknown ({account.get('reason')})"
    if not switched:
        return f"{response['mapping']}; {balance}"
    cause = f" for {switched['reason']}" if "reason" in switched else ""
    since = f" since {shown_moment(switched['at'])}" if "at" in switched else ""
    return f"{response['mapping']}; {switched['state']}{since} by {switched.get('by')}{cause}; {balance}"
