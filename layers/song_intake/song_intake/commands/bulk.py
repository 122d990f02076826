"""Resolves every selected request in doubt as not created, after a list and a question."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.commands.doubts import DoubtSelection, doubts
from song_intake.commands.options import shown_moment
from song_intake.commands.stack import invoke
from song_intake.commands.terminal import print_line

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from song_intake.commands.doubts import ShownRow


def resolve_in_bulk(
    functions: LambdaClient, name: str, selection: DoubtSelection, by: str, *, is_confirmed: bool
) -> bool:
    """Show the selected doubts, ask unless confirmed, and resolve each. Returns whether all were. Raises ListFailed."""
    selected = [row for row in doubts(functions, name) if selection.has(row)]
    _show(selected)
    if not selected:
        return True
    if not (is_confirmed or _is_confirmed_now(len(selected))):
        print_line("Nothing was changed.")
        return False
    refusals = [refusal for row in selected if (refusal := _refusal(functions, name, row, by)) is not None]
    print_line(f"{len(selected) - len(refusals)} done, {len(refusals)} refused")
    return not refusals


def _show(selected: Sequence[ShownRow]) -> None:
    count = "1 request is" if len(selected) == 1 else f"{len(selected)} requests are"
    print_line(f"{count} in doubt in this time span with this reason{':' if selected else '.'}")
    for row in selected:
        print_line(f"{row['request_id']}  since {shown_moment(cast('float', row['changed_at']))}  {row['reason']}")


def _is_confirmed_now(count: int) -> bool:
    if not sys.stdin.isatty():
        print_line("There is no terminal to confirm this in: use YES=1 (--yes).")
        return False
    print_line("A request that is resolved as not created may be created again, and paid for again, by a redrive.")
    print(f"Resolve {'it' if count == 1 else f'all {count}'} as not created? [y/N] ", end="", flush=True)  # noqa: T201
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _refusal(functions: LambdaClient, name: str, row: ShownRow, by: str) -> object:
    """Resolve one request. Returns and prints why it was refused; None if it was resolved.

    The decision is for the doubt that was shown: a request that changed after it is refused.
    """
    seen = {"request_id": row["request_id"], "changed_at": row["changed_at"]}
    try:
        response, is_done = invoke(functions, name, {**seen, "not_created": True, "by": by})
    except AWS_FAILURES as failure:
        response, is_done = {"error": code_of(failure)}, False
    if is_done:
        return None
    refusal = response.get("refused") or response.get("error") or response.get("errorMessage") or "it failed"
    print_line(f"{row['request_id']}: {refusal}")
    return refusal
