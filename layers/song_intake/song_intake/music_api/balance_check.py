"""Whose fault a 403 is that does not name its cause: the balance of the account decides. Asking for it is free."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.create import no_credits
from song_intake.music_api.credits import Balance

if TYPE_CHECKING:
    from song_intake.domain.outcome import Refused, Retryable
    from song_intake.music_api.client import MusicApi

_BALANCE_KEPT_SECONDS = 60.0

_FAILURE_SHARED_SECONDS = 1.0
"""Threads that waited for a read share its failure, instead of each waiting for a read of its own."""

_LEAST_SECONDS = 0.5
"""With less time, no connection is opened for the balance."""

_UNKNOWN = NoAnswer(Reason.BALANCE_UNKNOWN)


class BalanceCheck:
    """One for all threads of the process, so that many refusals at once cost one read.

    Ages are by the wall clock: the monotonic clock stands still while Lambda freezes the process between invocations.
    """

    def __init__(self, music_api: MusicApi) -> None:
        self._music_api = music_api
        self._lock = threading.Lock()
        self._last: Balance | NoAnswer = _UNKNOWN
        self._read_at = 0.0

    def decide(self, refused: Refused, token: str, seconds: float) -> Refused | Retryable:
        """The outcome of a create that ended with `refused`. Takes at most `seconds`, and never raises."""
        balance = self._balance(token, seconds)
        if isinstance(balance, NoAnswer):
            return replace(refused, detail=f"{refused.detail}; the balance of the account was not known")
        return refused if balance.allows_a_song else no_credits(refused.http_status, refused.vendor_code)

    def _balance(self, token: str, seconds: float) -> Balance | NoAnswer:
        """The balance, not older than a minute."""
        end = time.monotonic() + seconds
        if not self._lock.acquire(timeout=max(seconds, 0)):
            return _UNKNOWN
        try:
            if not self._is_recent() and (left := end - time.monotonic()) >= _LEAST_SECONDS:
                self._last = self._music_api.within(left).credits(token)
                self._read_at = time.time()
            return self._last if self._is_recent() else _UNKNOWN
        finally:
            self._lock.release()

    def _is_recent(self) -> bool:
        """A clock that was set back counts as "too old": one more read is harmless."""
        kept = _BALANCE_KEPT_SECONDS if isinstance(self._last, Balance) else _FAILURE_SHARED_SECONDS
        return 0 <= time.time() - self._read_at < kept
