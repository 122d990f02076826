"""What was done about the status of a row, so that a failed step does not repeat those that succeeded."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from song_intake.domain.frozen import frozen

if TYPE_CHECKING:
    from song_intake.ledger.row import Row, Values
    from song_intake.ledger.table import LedgerTable


@frozen
class Notified:
    """The notifications of one row that were sent, or refused for good."""

    submission: bool = False
    """Song Submitted was published."""
    end: bool = False
    """The event of the row's status was published."""
    ordered: bool = False
    """The message that has the recordings copied was sent."""
    answered: tuple[str, ...] = field(default=(), repr=False)
    """The tokens of the tasks that were completed."""
    published_at: float | None = None
    """When the event of the row's status was published, in seconds since 1970, if it was published now."""


def mark_notified(table: LedgerTable, row: Row, done: Notified) -> None:
    """Record the notifications, if the row still has the status that they were about. Raises LedgerUnavailable."""
    values: Values = {":seen": {"S": row.status}}
    change = ""
    marks = [name for name, is_done in (("end_published", done.end), ("keeping_ordered", done.ordered)) if is_done]
    if marks:
        change += " SET " + ", ".join(f"{name} = :yes" for name in marks)
        values[":yes"] = {"BOOL": True}
    if done.submission:
        change += " REMOVE submission_unpublished"
    if done.answered:
        change += " DELETE task_tokens :answered"
        values[":answered"] = {"SS": list(done.answered)}
    if change:
        table.annotate(row.request_id, change.strip(), condition="#status = :seen", values=values)
