"""The ledger of following: the task that a webhook names, and how a song ended."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from song_intake.domain.status import Status
from song_intake.domain.task import Failed, Succeeded
from song_intake.ledger.row import TRANSIENT_ATTRIBUTES
from song_intake.ledger.table import Existing, LedgerTable, Written

if TYPE_CHECKING:
    from song_intake.domain.reason import Reason
    from song_intake.domain.task import Clip
    from song_intake.ledger.row import Values


class TrackingStore:
    """Safe to share between threads. Every method raises LedgerUnavailable."""

    def __init__(self, table: LedgerTable) -> None:
        self._table = table

    def record_webhook_task(self, request_id: str, task_id: str) -> Written | Existing:
        """Record the task that a webhook names, from any status, if the request is known and has no task yet.

        Existing without a row: the request was never sent. A webhook creates no row.
        """
        result = self._table.write(
            request_id,
            set_="#status = :submitted, task_id = :task_id, submission_unpublished = :yes",
            remove=TRANSIENT_ATTRIBUTES,
            condition="attribute_exists(request_id) AND attribute_not_exists(task_id)",
            values={":submitted": {"S": Status.SUBMITTED}, ":task_id": {"S": task_id}, ":yes": {"BOOL": True}},
        )
        if isinstance(result, Existing) and result.row is not None and result.row.task_id != task_id:
            self._table.add_other_task(request_id, task_id)
        return result

    def record_end(self, request_id: str, task_id: str, end: Succeeded | Failed, reason: Reason) -> Written | Existing:
        """SUBMITTED -> SUCCEEDED | FAILED, for the task that the row names. The first final status wins."""
        set_, values = _end_values(end, reason)
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

    def mark_end_published(self, request_id: str) -> None:
        """The song's end was published."""
        self._table.write(
            request_id,
            set_="end_published = :yes",
            condition="attribute_exists(request_id)",
            values={":yes": {"BOOL": True}},
        )

    def record_overdue(self, request_id: str, task_id: str, reason: Reason, detail: str) -> Written | Existing:
        """Still SUBMITTED, and no longer polled: the row holds the reason."""
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


def _end_values(end: Succeeded | Failed, reason: Reason) -> tuple[str, Values]:
    if isinstance(end, Succeeded):
        return "clips = :clips", {":clips": {"L": [{"M": _map(clip)} for clip in end.clips]}}
    values: Values = {":reason": {"S": reason}}
    if end.vendor_code is not None:
        values[":vendor_code"] = {"S": end.vendor_code}
    if end.refunded is not None:
        values[":refunded"] = {"BOOL": end.refunded}
    return ", ".join(f"{name[1:]} = {name}" for name in values), values


def _map(clip: Clip) -> Values:
    """The known members of a clip."""
    known = {name: value for name, value in asdict(clip).items() if value is not None}
    return {name: {"N": repr(value)} if isinstance(value, float) else {"S": value} for name, value in known.items()}
