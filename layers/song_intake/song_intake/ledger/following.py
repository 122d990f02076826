"""The ledger of tracking: the task that a webhook names, and how a song ended."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from song_intake.domain.recording import Keeping
from song_intake.domain.status import Status
from song_intake.domain.task import Failed, Succeeded
from song_intake.ledger.notified import mark_notified
from song_intake.ledger.row import TRANSIENT_ATTRIBUTES
from song_intake.ledger.table import Existing, LedgerTable, Written

if TYPE_CHECKING:
    from song_intake.domain.reason import Reason
    from song_intake.domain.task import Clip
    from song_intake.ledger.notified import Notified
    from song_intake.ledger.row import Row, Values


class TrackingStore:
    """Safe to share between threads. Every method raises LedgerUnavailable.

    keeps: whether the recordings of a song that succeeds are to be copied.
    """

    def __init__(self, table: LedgerTable, *, keeps: bool = False) -> None:
        self._table = table
        self._keeps = keeps

    def record_webhook_task(self, request_id: str, task_id: str, hint_id: str) -> Written | Existing:
        """Record the task that a webhook names, from any status, if the request is known and has no task yet.

        Existing without a row: the request was never sent. A webhook creates no row. hint_id: of the hint whose check
        tracks the song from now on.
        """
        result = self._record_task(
            request_id, task_id, hint_id, "attribute_exists(request_id) AND attribute_not_exists(task_id)", {}
        )
        if isinstance(result, Existing) and result.row is not None and result.row.task_id != task_id:
            self._table.add_other_task(request_id, task_id)
        return result

    def record_late_webhook_task(self, request_id: str, task_id: str, hint_id: str) -> Written | Existing:
        """The same for a webhook that is too old to be new: only where the outcome of the create is unknown.

        So an old webhook settles a doubt, and changes nothing else.
        """
        return self._record_task(
            request_id,
            task_id,
            hint_id,
            "#status IN (:in_doubt, :submitting) AND attribute_not_exists(task_id)",
            {":in_doubt": {"S": Status.IN_DOUBT}, ":submitting": {"S": Status.SUBMITTING}},
        )

    def _record_task(
        self, request_id: str, task_id: str, hint_id: str, condition: str, values: Values
    ) -> Written | Existing:
        return self._table.write(
            request_id,
            set_="#status = :submitted, task_id = :task_id, submission_unpublished = :yes, tracking_hint = :hint_id",
            remove=TRANSIENT_ATTRIBUTES,
            condition=condition,
            values={
                ":submitted": {"S": Status.SUBMITTED},
                ":task_id": {"S": task_id},
                ":yes": {"BOOL": True},
                ":hint_id": {"S": hint_id},
                **values,
            },
        )

    def record_tracking_resumed(self, row: Row, hint_id: str) -> Written | Existing:
        """Still SUBMITTED, and polled again by the check with this hint, if no other check is known to poll the song.

        So it was given up; or an operator named its task, and may have failed to send a check.
        """
        return self._table.write(
            row.request_id,
            set_="tracking_hint = :hint_id",
            remove="reason, detail",
            condition="""#status = :submitted AND task_id = :task_id AND (attribute_exists(reason)
                OR (attribute_exists(submission_unpublished) AND attribute_not_exists(tracking_hint)))""",
            values={
                ":submitted": {"S": Status.SUBMITTED},
                ":task_id": {"S": row.task_id or ""},
                ":hint_id": {"S": hint_id},
            },
        )

    def record_end(self, request_id: str, task_id: str, end: Succeeded | Failed, reason: Reason) -> Written | Existing:
        """SUBMITTED -> SUCCEEDED | FAILED, or FAILED -> SUCCEEDED, for the task that the row names.

        A song that succeeds after all replaces its failure, and that end is not published yet.
        """
        set_, values = _end_values(end, reason)
        succeeded = isinstance(end, Succeeded)
        if succeeded and self._keeps:
            set_ += ", keeping = :pending"
            values[":pending"] = {"S": Keeping.PENDING}
        before: Values = {":submitted": {"S": Status.SUBMITTED}}
        if succeeded:
            before[":failed"] = {"S": Status.FAILED}
        return self._table.write(
            request_id,
            set_=f"#status = :end, {set_}",
            remove="reason, detail, vendor_code, refunded, end_published" if succeeded else "detail",
            condition=f"#status IN ({', '.join(before)}) AND task_id = :task_id",
            values={":end": {"S": status_of(end)}, ":task_id": {"S": task_id}, **before, **values},
        )

    def mark_notified(self, row: Row, done: Notified) -> None:
        """See notified.mark_notified."""
        mark_notified(self._table, row, done)

    def mark_doubt_published(self, row: Row, reason: Reason) -> None:
        """Song In Doubt was published, because the song was given up for this reason."""
        self._table.annotate(
            row.request_id,
            "SET doubt_published = :reason",
            condition="#status = :seen",
            values={":reason": {"S": reason}, ":seen": {"S": row.status}},
        )

    def record_tracking_stopped(self, request_id: str, task_id: str, reason: Reason, detail: str) -> Written | Existing:
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
