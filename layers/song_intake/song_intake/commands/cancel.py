"""Cancels one request through resolve_song, so that its song is never created."""

from __future__ import annotations

import click

from song_intake.commands.options import RequestId, shown_moment
from song_intake.commands.program import OperatorCommand, confirm
from song_intake.commands.stack import CommandFailed, Target, invoke, refusal_in
from song_intake.commands.terminal import print_json, print_line


@click.command(cls=OperatorCommand)
@click.argument("request_id", metavar="ID", type=RequestId())
@click.option("--by", metavar="NAME", help="Who cancels it; your ARN if it is left out.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def cancel(target: Target, request_id: str, by: str | None, *, yes: bool) -> None:
    """Cancel a request that no message has claimed, after a question. It may also come before the request does.

    A cancelled id is used up: no later message with it creates a song. A repeat is harmless.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      cancel order-1042:song-1
      cancel order-1042:song-1 --yes --by "Ada L."

    Exit code 1: it was too late, or the call failed.
    """
    name = target.output("ResolveSongFunctionName")
    confirm(f"Cancel {request_id} for good? No song can be made under this id.", is_confirmed=yes)
    event: dict[str, object] = {"request_id": request_id, "cancel": True, "by": by or target.caller}
    response, is_done = invoke(target.functions, name, event)
    if target.is_json:
        print_json(response)
    if not is_done:
        raise CommandFailed(f"{request_id} was not cancelled: {refusal_in(response)}")
    if not target.is_json:
        print_line(_cancelled_line(response))


def _cancelled_line(response: dict[str, object]) -> str:
    match response:
        case {"after": {"request_id": request_id, "status": status, "changed_at": float(at), "reason": reason}}:
            return f"{status:<10}  {shown_moment(at)}  {request_id}  {reason}"
    return "cancelled"
