"""What a call to our webhook comes to. The answer is a status alone: a forger learns nothing from it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from song_intake.ledger_row import FINAL
from song_intake.song_checks import SongCheck
from song_intake.webhook import Call, key_of, task_id_of

if TYPE_CHECKING:
    from song_intake.ledger_following import Following
    from song_intake.song_checks import SongChecks
    from song_intake.webhook_keys import WebhookKeys


class Reply(IntEnum):
    """HTTP statuses. Any but ACCEPTED makes the vendor try again, if it does."""

    ACCEPTED = 200
    NOT_AUTHENTIC = 401
    NO_SUCH_ADDRESS = 404


@dataclass(frozen=True, slots=True)
class Reception:
    """Safe to share between threads."""

    keys: WebhookKeys
    following: Following
    checks: SongChecks

    def take(self, call: Call) -> Reply:
        """Record the task that an authentic call names and have it checked at once. Doing it again is harmless.

        Raises KeyUnavailable, LedgerUnavailable and ChecksUnavailable: the vendor should try again then.
        """
        key = key_of(call, self.keys.current_first())
        if key is None:
            return Reply.NO_SUCH_ADDRESS
        task_id = task_id_of(call, key)
        if task_id is None:
            return Reply.NOT_AUTHENTIC
        row = self.following.hinted(call.request_id, task_id)
        if row is None:
            return Reply.NO_SUCH_ADDRESS
        if row.status not in FINAL:
            self.checks.look_now(SongCheck(call.request_id, row.task_id or task_id, time.time()))
        return Reply.ACCEPTED
