"""Sends an operator's decisions to resolve_song, with the operator's ARN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from song_intake.commands.bulk import PAID_AGAIN, resolve_in_bulk
from song_intake.commands.doubts import DoubtSelection
from song_intake.commands.manual_decision import ManualDecision, decide
from song_intake.commands.options import Moment, ReasonCode, RequestId, shown_moment
from song_intake.commands.program import OperatorCommand, confirm
from song_intake.commands.stack import Target
from song_intake.commands.terminal import print_note
from song_intake.domain.reason import Reason

_SETTLED_BY_A_TASK: Final = frozenset((Reason.OUTCOME_UNKNOWN,))
"""Not TASK_NOT_RECORDED: only that letter has the task that the API named, and the task token of its message."""


@click.command(cls=OperatorCommand)
@click.argument("request_id", metavar="[ID]", type=RequestId(), required=False)
@click.option("--task", metavar="TASK", help="The song exists, with this task id of the music API.")
@click.option("--not-created", "is_not_created", is_flag=True, help="The song does not exist. Asks first.")
@click.option("--since", type=Moment(), help="Without ID: the doubts from this time on.")
@click.option("--until", type=Moment(), help="Without ID: the doubts before this time.")
@click.option("--reason", type=ReasonCode(), help="Without ID: the doubts with this reason.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def resolve(
    target: Target,
    /,
    request_id: str | None,
    task: str | None,
    since: float | None,
    until: float | None,
    reason: Reason | None,
    **flags: bool,
) -> int:
    """Record what the vendor said of a request in doubt, or that none of a time span was created.

    `list --status IN_DOUBT` lists these requests. A task is polled before it is recorded, and the dead letter of its
    request is discarded. After --not-created, a redrive of that letter creates the song: use it only when the vendor
    has confirmed that there is none.

    \b
    Examples, after `python -m song_intake.commands --stack NAME`:
      resolve order-1042:song-1 --task d8b553d0
      resolve order-1042:song-1 --not-created
      resolve --not-created --reason OUTCOME_UNKNOWN \\
          --since 2026-07-01T09:00:00Z --until 2026-07-01T10:30:00Z
    """
    is_not_created, yes, span = flags["is_not_created"], flags["yes"], (since, until, reason)
    if request_id is not None:
        if bool(task) == is_not_created or any(value is not None for value in span):
            raise click.UsageError("use ID with either --task or --not-created")
        _resolve_one(target, request_id, task=task, is_confirmed=yes)
        return 0
    if since is None or until is None or reason is None or task or not is_not_created:
        raise click.UsageError("use ID with --task or --not-created; or --since, --until, --reason and --not-created")
    if since >= until:
        raise click.UsageError("--since must be before --until")
    return resolve_in_bulk(target, DoubtSelection(since, until, reason), is_confirmed=yes)


def _resolve_one(target: Target, request_id: str, *, task: str | None, is_confirmed: bool) -> None:
    """task: the song's; None if there is no song."""
    if task is not None:
        decide(target, ManualDecision(request_id, {"task_id": task}, "resolved", _SETTLED_BY_A_TASK), _change_line)
        return
    confirm(f"{PAID_AGAIN}\nResolve {request_id} as not created?", is_confirmed=is_confirmed)
    decide(target, ManualDecision(request_id, {"not_created": True}, "resolved", frozenset()), _change_line)
    print_note("its dead letter stays: redrive it to create the song, or cancel the request")


def _change_line(response: Mapping[str, Any]) -> str:
    before, after = response["before"], response["after"]
    line = f"{after['request_id']}  {before['status']} -> {after['status']}  {shown_moment(after['changed_at'])}"
    return f"{line}  {after.get('task_id') or after.get('reason', '')}"
