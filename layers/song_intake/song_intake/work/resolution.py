"""Applies an operator's decision on a request: what became of one in doubt, or that one is never created.

{"request_id": "...", "task_id": "..."}        the song exists: it is tracked until it ends. Until then, a task that
                                               an operator named may be replaced in the same way
{"request_id": "...", "not_created": true}     the song does not exist: a redrive of the dead letter creates it
{"request_id": "...", "cancel": true}          the song is never created: accepted until a message claims the request
{"list": "IN_DOUBT"}                           lists the requests that need a decision; if there are more than one
                                               response holds, it has "next": send it as "start" for the rest

A decision with "changed_at", as listed, applies only if the request has not changed its status since.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, cast

from song_intake.contract.request_id import as_request_id
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.ledger.resolving import PAGE_KEY
from song_intake.ledger.table import Existing, row_in
from song_intake.music_api.answer import as_task_id
from song_intake.outgoing.checks import SongCheck

if TYPE_CHECKING:
    from song_intake.ledger.resolving import ResolutionStore
    from song_intake.ledger.row import Row
    from song_intake.ledger.table import Written
    from song_intake.outgoing.checks import SongChecks
    from song_intake.outgoing.notifier import Notifier
    from song_intake.work.task_check import TaskCheck

_RESOLVABLE = frozenset((Status.IN_DOUBT, Status.SUBMITTING))

_MOMENT = re.compile(r"[0-9T:.+-]{1,40}")
"""The characters of `updated_at`, which is in ISO 8601."""


class DecisionRefused(ValueError):
    """The decision cannot be applied. The message has the reason, for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Resolution:
    """Handles the events above. A repeated event is harmless: it repeats the follow-up step."""

    store: ResolutionStore
    checks: SongChecks
    notifier: Notifier
    task_check: TaskCheck
    not_created_after: float
    """The age in seconds from which "not created" is accepted: no function can receive a response any more."""
    on_handled: Callable[[], None] = field(default=lambda: None)
    """Called at the end of each event."""

    def handle(self, event: dict[str, object]) -> dict[str, object]:
        """Apply one decision, and return the row before and after, or list the rows in doubt.

        Raises DecisionRefused, LedgerUnavailable and SideEffectFailed.
        """
        try:
            return self._handle(event)
        finally:
            self.on_handled()

    def _handle(self, event: dict[str, object]) -> dict[str, object]:
        if "list" in event:
            return self._list(event)
        request_id, by = as_request_id(event.get("request_id")), event.get("by") or "unnamed"
        if request_id is None or not isinstance(by, str) or len(by) > 256 or not by.isprintable():
            raise DecisionRefused(
                'send {"request_id": "...", "by": "..."} with "task_id", "not_created": true or "cancel": true, '
                'or send "list"; '
                "a request_id is 1 to 128 of the characters A-Z a-z 0-9 . _ : -"
            )
        if _decisions_in(event) != 1:
            raise DecisionRefused('send one of "task_id", "not_created": true and "cancel": true')
        before = self.store.row(request_id)
        if "cancel" in event:
            return self._cancel(request_id, before, event, by)
        if before is None:
            raise DecisionRefused(f"the ledger has no request {request_id!r}")
        after = self._resolve(before, event, by)
        return {"before": _shown(before), "after": _shown(after)}

    def _list(self, event: dict[str, object]) -> dict[str, object]:
        if event["list"] != Status.IN_DOUBT:
            raise DecisionRefused(f"only {Status.IN_DOUBT} can be listed")
        start = event.get("start")
        if start is not None and not _is_key(start):
            raise DecisionRefused('"start" must be the "next" of a list')
        page = self.store.in_doubt(cast("Mapping[str, str] | None", start))
        shown: dict[str, object] = {"in_doubt": [_shown(row) for row in page.rows]}
        return shown if page.next is None else {**shown, "next": page.next}

    def _resolve(self, row: Row, event: dict[str, object], by: str) -> Row:
        if self._is_repeat(row, event):
            return row
        _refuse_if_changed(row, event)
        may_be_replaced = row.status is Status.SUBMITTED and row.named_by is not None and "task_id" in event
        if row.status not in _RESOLVABLE and not may_be_replaced:
            raise DecisionRefused(f"the request is {row.status}: only one in doubt can be resolved")
        if row.status is Status.SUBMITTING and not row.lease_is_over():
            wait = max(row.lease_until - time.time(), 0)
            raise DecisionRefused(f"submit_song may still be processing this request; retry in {wait + 1:.0f} s")
        return self._not_created(row, event, by) if "not_created" in event else self._task(row, event, by)

    def _is_repeat(self, row: Row, event: dict[str, object]) -> bool:
        """Whether the row already has this decision. The follow-up step is then repeated: it may have failed before."""
        if row.status is Status.SUBMITTED and row.task_id is not None and row.task_id == event.get("task_id"):
            self.checks.poll_now(SongCheck(row.request_id, row.task_id, time.time(), trace_id=row.trace_id))
            return True
        if row.status is Status.REJECTED and row.reason == Reason.NOT_CREATED and event.get("not_created") is True:
            self._publish(row)
            return True
        return False

    def _task(self, row: Row, event: dict[str, object], by: str) -> Row:
        task_id = as_task_id(event["task_id"])
        if task_id is None:
            raise DecisionRefused("task_id must be 1 to 256 printable characters without spaces")
        if objection := self.task_check.objection(row.request_id, task_id):
            raise DecisionRefused(objection)
        record = self.store.replace_task if row.status is Status.SUBMITTED else self.store.record_task
        after = _row_after(record(row, task_id, by))
        self.checks.poll_now(SongCheck(row.request_id, task_id, time.time(), trace_id=row.trace_id))
        return after

    def _not_created(self, row: Row, event: dict[str, object], by: str) -> Row:
        if event["not_created"] is not True:
            raise DecisionRefused('"not_created" must be true')
        wait = row.changed_at + self.not_created_after - time.time()
        if wait > 0:
            raise DecisionRefused(f"the music API may still be processing the call; retry in {wait:.0f} s")
        detail = "an operator decided that the song was not created"
        after = _row_after(self.store.record_not_created(row, by, detail))
        self._publish(after)
        return after

    def _cancel(self, request_id: str, before: Row | None, event: dict[str, object], by: str) -> dict[str, object]:
        """A repeat changes nothing, and repeats the follow-up steps that are not done."""
        if event["cancel"] is not True:
            raise DecisionRefused('"cancel" must be true')
        if before is not None:
            _refuse_if_changed(before, event)
        result = self.store.record_cancelled(request_id, by, "an operator cancelled the request before it was created")
        after = row_in(result)
        if after.status is not Status.REJECTED or after.reason != Reason.CANCELLED:
            raise DecisionRefused(f"the request is {after.status}: a song may exist, so it cannot be cancelled")
        self._publish(after)
        return {"before": None if before is None else _shown(before), "after": _shown(after), "is_cancelled": True}

    def _publish(self, row: Row) -> None:
        """Publish that there is no song, and fail the tasks that wait for it: only what was not done before."""
        done, failure = self.notifier.publish_end(row)
        self.store.mark_notified(row, done)
        if failure is not None:
            raise failure


def _decisions_in(event: dict[str, object]) -> int:
    return len({"task_id", "not_created", "cancel"} & event.keys())


def _refuse_if_changed(row: Row, event: dict[str, object]) -> None:
    if event.get("changed_at", row.changed_at) != row.changed_at:
        raise DecisionRefused("the request changed after it was listed")


def _row_after(result: Written | Existing) -> Row:
    if isinstance(result, Existing) or result.row is None:
        raise DecisionRefused("the request changed while you were deciding: run LIST=1 again")
    return result.row


def _is_key(start: object) -> bool:
    if not isinstance(start, dict) or start.keys() != set(PAGE_KEY):
        return False
    updated_at, request_id = (start[name] for name in PAGE_KEY)
    return bool(isinstance(updated_at, str) and _MOMENT.fullmatch(updated_at) and as_request_id(request_id))


def _shown(row: Row) -> dict[str, object]:
    """The row without the task tokens, which allow their reader to complete the callers' tasks."""
    shown = {name: value for name, value in asdict(row).items() if value is not None and name != "task_tokens"}
    return {**shown, "metadata": dict(row.metadata)}
