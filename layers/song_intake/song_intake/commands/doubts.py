"""The requests in doubt of a deployed stack, read page by page through resolve_song."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from song_intake.commands.stack import CommandFailed, invoke, refusal_in
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    ShownRow = Mapping[str, object]


@frozen
class DoubtSelection:
    """The doubts that began in a time span, for one reason. Times are in seconds since 1970."""

    since: float
    until: float
    """The span ends before this time."""
    reason: Reason

    def has(self, row: ShownRow) -> bool:
        """Whether the span and the reason are those of this row."""
        return row.get("reason") == self.reason and self.since <= cast("float", row["changed_at"]) < self.until


def doubts(functions: LambdaClient, name: str) -> Iterator[ShownRow]:
    """Every request in doubt, oldest first. `name`: the name of resolve_song. Raises CommandFailed."""
    page: dict[str, object] = {}
    while True:
        start = {"start": page["next"]} if page else {}
        page, is_done = invoke(functions, name, {"list": Status.IN_DOUBT, **start})
        if not is_done:
            raise CommandFailed(f"the requests in doubt could not be listed: {refusal_in(page)}")
        yield from cast("list[ShownRow]", page["in_doubt"])
        if "next" not in page:
            return
