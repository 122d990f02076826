"""Cancels one request through resolve_song, so that its song is never created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from song_intake.commands.manual_decision import ManualDecision, decide
from song_intake.commands.options import RequestId, shown_moment
from song_intake.commands.program import OperatorCommand, confirm
from song_intake.commands.stack import Target
from song_intake.domain.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTLED: Final = frozenset(
    (Reason.REFUSED, Reason.RETRIES_EXHAUSTED, Reason.OUTCOME_UNKNOWN, Reason.EXPIRED, Reason.CANCELLED)
)
"""A redrive of a letter with one of these would only bring it back. REQUEST_ID_REUSED is about another request."""


@click.command(cls=OperatorCommand)
@click.argument("request_id", metavar="ID", type=RequestId())
@click.option("--by", metavar="NAME", help="Who cancels it; your ARN if it is left out.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def cancel(target: Target, request_id: str, by: str | None, *, yes: bool) -> None:
    """Cancel a request that no message has claimed, after a question. It may also come before the request does.

    A cancelled id is used up: no later message with it creates a song. Its dead letter is discarded. A repeat is
    harmless.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      cancel order-1042:song-1
      cancel order-1042:song-1 --yes --by "Ada L."

    Exit code 1: it was too late, or the call failed.
    """
    confirm(f"Cancel {request_id} for good? No song can be made under this id.", is_confirmed=yes)
    decide(target, ManualDecision(request_id, {"cancel": True}, "cancelled", _SETTLED, by), _cancelled_line)


def _cancelled_line(response: Mapping[str, Any]) -> str:
    match response:
        case {"after": {"request_id": request_id, "status": status, "changed_at": float(at), "reason": reason}}:
            return f"{status:<10}  {shown_moment(at)}  {request_id}  {reason}"
    return "cancelled"
