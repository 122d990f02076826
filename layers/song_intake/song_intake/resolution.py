"""An operator's word on a request in doubt.

{"request_id": "...", "task_id": "..."}        the song exists: it is followed to its end
{"request_id": "...", "not_created": true}     it does not: a redrive of the dead letter creates it
{"list": "IN_DOUBT"}                           which requests need a word
"""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from song_intake.announcements import Happening
from song_intake.ledger_row import Row, Status
from song_intake.ledger_table import Standing, Written
from song_intake.reason import Reason
from song_intake.song_checks import SongCheck

if TYPE_CHECKING:
    from song_intake.ledger_resolving import Resolving
    from song_intake.song_checks import SongChecks
    from song_intake.telling import Telling

_TASK_ID = re.compile(r"[\x21-\x7e]{1,256}")
_RESOLVABLE = frozenset((Status.IN_DOUBT, Status.SUBMITTING))


class Refused(ValueError):
    """The word is not one that can be taken; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    ledger: Resolving
    checks: SongChecks
    telling: Telling
    not_created_after: float
    """Seconds that a doubt must be old before "not created" is taken: no function can still hear an answer then."""

    def take(self, word: dict[str, object]) -> dict[str, object]:
        """What was, and what is now. Raises Refused, LedgerUnavailable and Undone."""
        if "list" in word:
            return self._listed(word)
        request_id, by = word.get("request_id"), word.get("by") or "unnamed"
        if not isinstance(request_id, str) or not request_id or not isinstance(by, str) or len(by) > 256:
            raise Refused('give {"request_id": "...", "by": "..."} with "task_id" or "not_created": true, or "list"')
        before = self.ledger.row(request_id)
        if before is None:
            raise Refused(f"the ledger has no request {request_id!r}")
        after = self._resolved(before, word, by)
        return {"before": _shown(before), "after": _shown(after)}

    def _listed(self, word: dict[str, object]) -> dict[str, object]:
        if word["list"] != Status.IN_DOUBT:
            raise Refused(f"only {Status.IN_DOUBT} can be listed")
        return {"in_doubt": [_shown(row) for row in self.ledger.in_doubt()]}

    def _resolved(self, row: Row, word: dict[str, object], by: str) -> Row:
        task_id = word.get("task_id")
        if ("task_id" in word) == ("not_created" in word):
            raise Refused('give either "task_id" or "not_created": true')
        if row.status is Status.SUBMITTED and row.task_id == task_id:
            # Said again, since the first time its check could not be sent.
            self.checks.look_now(SongCheck(row.request_id, row.task_id or "", time.time()))
            return row
        if row.status is Status.REJECTED and row.reason == Reason.NOT_CREATED and word.get("not_created") is True:
            self.telling.of_row(row, Happening.REJECTED, Reason.NOT_CREATED, row.detail or "")
            return row
        if row.status not in _RESOLVABLE:
            raise Refused(f"the request is {row.status}: only one in doubt can be resolved")
        if row.status is Status.SUBMITTING and not row.lease_is_over():
            raise Refused("a function may still be in the call: its lease is not over")
        if "not_created" in word:
            return self._not_created(row, word, by)
        if not isinstance(task_id, str) or not _TASK_ID.fullmatch(task_id):
            raise Refused("task_id must be 1 to 256 printable characters without spaces")
        after = _written(self.ledger.task_given(row, task_id, by))
        self.checks.look_now(SongCheck(row.request_id, task_id, time.time()))
        return after

    def _not_created(self, row: Row, word: dict[str, object], by: str) -> Row:
        if word["not_created"] is not True:
            raise Refused('"not_created" must be true')
        wait = row.changed_at + self.not_created_after - time.time()
        if wait > 0:
            raise Refused(f"the call may still be under way at the music API: ask again in {wait:.0f} s")
        detail = "an operator found that the song was not created"
        after = _written(self.ledger.not_created(row, by, detail))
        self.telling.of_row(after, Happening.REJECTED, Reason.NOT_CREATED, detail)
        return after


def _written(result: Written | Standing) -> Row:
    if isinstance(result, Standing):
        raise Refused("the request was settled in the meantime: look at it again")
    return result.row


def _shown(row: Row) -> dict[str, object]:
    """The row for an operator's eyes: all but the key of somebody's workflow."""
    shown = {name: value for name, value in asdict(row).items() if value is not None and name != "task_token"}
    return {**shown, "metadata": dict(row.metadata)}
