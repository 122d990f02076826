"""Applies the hint that a check of receive_webhook has: a verified webhook named the task of the request.

    row                                   hint                           its check
    without a task                        records the task               tracks the song
    SUBMITTED, and given up               -                              tracks the song
    SUBMITTED, tracked by another check   -                              polls it once
    FAILED                                -                              tracks it: the song may be found after all
    SUCCEEDED                             -                              publishes the end, if that was not done
    with another task                     keeps its task beside that     as above, for the task of the row
    none                                  -                              becomes a dead letter

A late hint does only the first of these, and only where the outcome of the create is unknown. A hint may be applied
any number of times: the row keeps the id of the hint whose check tracks the song. So one check tracks it, however often
the vendor calls, and that check continues after a crash.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from song_intake.domain.decision import Done
from song_intake.domain.frozen import frozen
from song_intake.domain.status import FINAL, Status
from song_intake.ledger.table import Existing, Written, row_in

if TYPE_CHECKING:
    from song_intake.contract.hint import SignedHint
    from song_intake.contract.proof import Proofs
    from song_intake.contract.sqs_message import Message
    from song_intake.ledger.following import TrackingStore
    from song_intake.ledger.row import Row
    from song_intake.outgoing.checks import SongCheck


@frozen
class SongToPoll:
    """The song of a check without a hint, or of one whose hint was applied."""

    check: SongCheck
    """Without a hint."""
    is_tracked: bool = True
    """Whether this check polls the song until it ends; False: once, because another check does."""
    webhook_at: float | None = None
    """When the webhook of the hint arrived, in seconds since 1970; None without a hint."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WebhookHints:
    """Safe to share between threads."""

    store: TrackingStore
    proofs: Proofs

    def apply(self, check: SongCheck, message: Message) -> SongToPoll | Existing | Done:
        """What is to be polled; Existing if the row has the end of the song, or does not exist; or Done.

        A hint without a valid proof does not count. Raises LedgerUnavailable and KeyUnavailable.
        """
        hint, plain = check.hint, replace(check, hint=None)
        if hint is None or not self.proofs.is_proved(hint, check.request_id, check.task_id, message.sent_at):
            return SongToPoll(plain)
        record = self.store.record_late_webhook_task if hint.is_late else self.store.record_webhook_task
        result = record(check.request_id, check.task_id, hint.hint_id)
        row, owns = result.row, _owns_tracking(hint, result)
        if hint.is_late and not owns and not message.is_redriven:
            return Done(check.task_id, duplicate=True, ended=row.status if row and row.status in FINAL else None)
        if row is None or row.status is Status.SUCCEEDED:
            return Existing(row)
        is_tracked = owns or self._is_resumed(row, hint) or message.is_redriven
        named = replace(plain, task_id=row.task_id or check.task_id, trace_id=row.trace_id)
        return SongToPoll(named, is_tracked, check.since)

    def _is_resumed(self, row: Row, hint: SignedHint) -> bool:
        """Whether this check tracks the song from now on, because no other check is known to track it."""
        if row.status is Status.FAILED:
            return True
        is_given_up = row.reason is not None
        if not is_given_up and (row.tracking_hint is not None or not row.submission_unpublished):
            return False
        result = self.store.record_tracking_resumed(row, hint.hint_id)
        return row_in(result).status is Status.FAILED or _owns_tracking(hint, result)


def _owns_tracking(hint: SignedHint, result: Written | Existing) -> bool:
    """Also if the write was made before: by an earlier delivery, or by an attempt of the SDK."""
    return isinstance(result, Written) or (result.row is not None and result.row.tracking_hint == hint.hint_id)
