"""The ledger of keeping: which recordings of a song are copied, and whether this was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.domain.recording import Keeping
from song_intake.ledger.row import Row
from song_intake.ledger.table import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from song_intake.domain.recording import Recording
    from song_intake.ledger.notified import Notified
    from song_intake.ledger.row import Values
    from song_intake.ledger.table import Existing, LedgerTable, Written


class KeepingStore:
    """Safe to share between threads. Every method raises LedgerUnavailable.

    The list of recordings only grows. So a write that requires the length that was read replaces no other copy's entry.
    """

    def __init__(self, table: LedgerTable) -> None:
        self._table = table

    def row(self, request_id: str) -> Row | None:
        """The row of this request; None if there is none."""
        try:
            found = self._table.dynamodb.get_item(
                TableName=self._table.name, Key={"request_id": {"S": request_id}}, ConsistentRead=True
            )
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return Row.of(found["Item"]) if "fingerprint" in found.get("Item", {}) else None

    def resume(self, row: Row) -> Written | Existing:
        """GIVEN_UP -> PENDING: an operator asks for the recordings again."""
        return self._table.write(
            row.request_id,
            set_="keeping = :pending",
            remove="keeping_detail, keeping_published",
            condition="keeping = :given_up AND task_id = :task_id",
            values={
                ":pending": {"S": Keeping.PENDING},
                ":given_up": {"S": Keeping.GIVEN_UP},
                ":task_id": {"S": row.task_id or ""},
            },
        )

    def record(self, row: Row, recordings: Sequence[Recording], keeping: Keeping, detail: str) -> Written | Existing:
        """PENDING -> PENDING, KEPT or GIVEN_UP, with all that is copied so far. detail: why some is not."""
        values: Values = {
            ":keeping": {"S": keeping},
            ":pending": {"S": Keeping.PENDING},
            ":task_id": {"S": row.task_id or ""},
        }
        set_ = "keeping = :keeping"
        if recordings:
            set_ += ", recordings = :recordings"
            values[":recordings"] = {"L": [{"M": _map(one)} for one in recordings]}
        if keeping is Keeping.GIVEN_UP:
            set_ += ", keeping_detail = :detail"
            values[":detail"] = {"S": detail}
        unchanged = "attribute_not_exists(recordings)"
        if row.recordings:
            unchanged = "size(recordings) < :more"
            values[":more"] = {"N": str(len(row.recordings) + 1)}
        return self._table.write(
            row.request_id,
            set_=set_,
            condition=f"keeping = :pending AND task_id = :task_id AND {unchanged}",
            values=values,
        )

    def mark_published(self, row: Row, done: Notified) -> None:
        """Record the notifications about the end of the copying, if the row still has this end."""
        values: Values = {":seen": {"S": row.keeping or ""}}
        change = ""
        if done.end:
            change += " SET keeping_published = :yes"
            values[":yes"] = {"BOOL": True}
        if done.answered:
            change += " DELETE task_tokens :answered"
            values[":answered"] = {"SS": list(done.answered)}
        if change:
            self._table.annotate(row.request_id, change.strip(), condition="keeping = :seen", values=values)


def _map(recording: Recording) -> Values:
    names = ("clip_id", "format", "bucket", "key", "sha256")
    texts: Values = {name: {"S": getattr(recording, name)} for name in names}
    return {**texts, "bytes": {"N": str(recording.bytes)}}
