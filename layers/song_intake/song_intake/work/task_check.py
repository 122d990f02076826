"""Checks a task that an operator names for a request: the song must exist, and must not be that of another request.

A wrong task that is recorded can be replaced only until its song ends. Both checks are free of charge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer, NoSuchTask, TaskState
from song_intake.music_api.token import TokenUnavailable

if TYPE_CHECKING:
    from song_intake.ledger.resolving import ResolutionStore
    from song_intake.music_api.client import MusicApi
    from song_intake.music_api.token import ApiToken


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TaskCheck:
    """Polls the task once, then searches the ledger for it."""

    store: ResolutionStore
    music_api: MusicApi
    api_token: ApiToken

    def objection(self, request_id: str, task_id: str) -> str | None:
        """Why the task cannot be this request's; None if it can be. Raises LedgerUnavailable."""
        match self._poll(task_id):
            case NoSuchTask():
                return "the music API does not know this task_id"
            case NoAnswer(reason):
                return f"the music API did not report whether it knows this task_id ({reason}); retry later"
        others = [other for other in self.store.requests_of_task(task_id) if other != request_id]
        return f"this task_id belongs to the request {others[0]!r}" if others else None

    def _poll(self, task_id: str) -> TaskState:
        try:
            token = self.api_token.current()
        except TokenUnavailable:
            return NoAnswer(Reason.TOKEN_UNAVAILABLE)
        state = self.music_api.poll(task_id, token.value)
        if isinstance(state, NoAnswer) and state.reason is Reason.TOKEN_REFUSED:
            return self.music_api.poll(task_id, self.api_token.refresh(token).value)
        return state
