"""Resolves every selected request in doubt as not created, after a list and a question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.commands.doubts import DoubtSelection, doubts
from song_intake.commands.options import shown_moment
from song_intake.commands.program import FAILED, confirm
from song_intake.commands.stack import Target, invoke, refusal_in
from song_intake.commands.terminal import print_json, print_line, print_note

if TYPE_CHECKING:
    from song_intake.commands.doubts import ShownRow

PAID_AGAIN = "A request that is resolved as not created may be created again, and paid for again, by a redrive."


def resolve_in_bulk(target: Target, selection: DoubtSelection, *, is_confirmed: bool) -> int:
    """Show the selected doubts, ask unless confirmed, and resolve each. Returns the exit code: 0 if all were.

    Raises CommandFailed.
    """
    name = target.output("ResolveSongFunctionName")
    selected = [row for row in doubts(target.functions, name) if selection.has(row)]
    count = "1 request is" if len(selected) == 1 else f"{len(selected)} requests are"
    print_note(f"{count} in doubt in this time span with this reason{':' if selected else '.'}")
    for row in selected if not target.is_json else ():
        print_line(
            f"IN_DOUBT    {shown_moment(cast('float', row['changed_at']))}  {row['request_id']}  {row['reason']}"
        )
    if selected:
        these = "it" if len(selected) == 1 else f"all {len(selected)}"
        confirm(f"{PAID_AGAIN}\nResolve {these} as not created?", is_confirmed=is_confirmed)
    refusals = {str(row["request_id"]): _refusal(target, name, row) for row in selected}
    refused = {request_id: refusal for request_id, refusal in refusals.items() if refusal is not None}
    if target.is_json:
        print_json({"resolved": [one for one in refusals if one not in refused], "refused": refused})
    if selected:
        print_note(f"{len(selected) - len(refused)} done, {len(refused)} refused")
    return FAILED if refused else 0


def _refusal(target: Target, name: str, row: ShownRow) -> str | None:
    """Resolve one request. Returns and prints why it was refused; None if it was resolved.

    The decision is for the doubt that was shown: a request that changed after it is refused.
    """
    seen: dict[str, Any] = {"request_id": row["request_id"], "changed_at": row["changed_at"]}
    try:
        response, is_done = invoke(target.functions, name, {**seen, "not_created": True, "by": target.caller})
    except AWS_FAILURES as failure:
        response, is_done = {"error": code_of(failure)}, False
    if is_done:
        return None
    refusal = refusal_in(response)
    print_note(f"{row['request_id']}: {refusal}")
    return refusal
