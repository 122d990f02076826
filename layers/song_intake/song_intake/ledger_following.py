"""The ledger of following: the task that a webhook names, and how a song ended."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from song_intake.ledger import PASSING
from song_intake.ledger_row import Row, Status
from song_intake.ledger_table import LedgerTable, Standing, Written
from song_intake.task_state import Failed, Succeeded

if TYPE_CHECKING:
    from song_intake.ledger_table import Values
    from song_intake.reason import Reason
    from song_intake.task_state import Clip


class Following:
    """Safe to share between threads."""

    def __init__(self, table: LedgerTable) -> None:
        self._table = table

    def hinted(self, request_id: str, task_id: str) -> Row | None:
        """Record the task that a webhook names, whatever the status, if the request is known and names none yet.

        The row as it is now; None for a request that nobody has sent, since a webhook creates no row.
        """
        result = self._table.write(
            request_id,
            set_="#status = :submitted, task_id = :task_id, unannounced = :unannounced",
            remove=PASSING,
            condition="attribute_exists(request_id) AND attribute_not_exists(task_id)",
            values={
                ":submitted": {"S": Status.SUBMITTED},
                ":task_id": {"S": task_id},
                ":unannounced": {"BOOL": True},
            },
        )
        if isinstance(result, Standing) and result.row is not None and result.row.task_id != task_id:
            self._table.another_task(request_id, task_id)
        return result.row

    def finished(self, request_id: str, task_id: str, end: Succeeded | Failed, reason: Reason) -> Written | Standing:
        """SUBMITTED -> SUCCEEDED | FAILED, for the task that the row names. The first end that is told is the end."""
        set_, values = _told_by(end, reason)
        return self._table.write(
            request_id,
            set_=f"#status = :end, {set_}",
            remove="detail" if isinstance(end, Failed) else "reason, detail",
            condition="#status = :submitted AND task_id = :task_id",
            values={
                ":end": {"S": status_of(end)},
                ":submitted": {"S": Status.SUBMITTED},
                ":task_id": {"S": task_id},
                **values,
            },
        )

    def told(self, request_id: str) -> None:
        """The song's end was announced."""
        self._table.write(
            request_id, set_="told = :told", condition="attribute_exists(request_id)", values={":told": {"BOOL": True}}
        )

    def overdue(self, request_id: str, task_id: str, reason: Reason, detail: str) -> Written | Standing:
        """Still SUBMITTED, and not followed any more: the row says why."""
        return self._table.write(
            request_id,
            set_="reason = :reason, detail = :detail",
            condition="#status = :submitted AND task_id = :task_id",
            values={
                ":submitted": {"S": Status.SUBMITTED},
                ":task_id": {"S": task_id},
                ":reason": {"S": reason},
                ":detail": {"S": detail},
            },
        )


def status_of(end: Succeeded | Failed) -> Status:
    return Status.SUCCEEDED if isinstance(end, Succeeded) else Status.FAILED


def _told_by(end: Succeeded | Failed, reason: Reason) -> tuple[str, Values]:
    if isinstance(end, Succeeded):
        return "clips = :clips", {":clips": {"L": [{"M": _map(clip)} for clip in end.clips]}}
    values: Values = {":reason": {"S": reason}}
    if end.vendor_code is not None:
        values[":vendor_code"] = {"S": end.vendor_code}
    if end.refunded is not None:
        values[":refunded"] = {"BOOL": end.refunded}
    return ", ".join(f"{name[1:]} = {name}" for name in values), values


def _map(clip: Clip) -> Values:
    """What is known of a clip; a number as DynamoDB has them."""
    known = {name: value for name, value in asdict(clip).items() if value is not None}
    return {name: {"N": repr(value)} if isinstance(value, float) else {"S": value} for name, value in known.items()}
