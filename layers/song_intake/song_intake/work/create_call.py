"""The paid call with the API token: sent once, and once more if the token was refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING

from song_intake.domain.frozen import frozen
from song_intake.domain.outcome import Outcome, Retryable
from song_intake.domain.reason import Reason

if TYPE_CHECKING:
    from song_intake.domain.trace import Trace
    from song_intake.music_api.client import Connection, MusicApi
    from song_intake.music_api.token import ApiToken, Token


@frozen
class CreateCall:
    """What is sent, and with which token."""

    token: Token
    body: bytes = field(repr=False)

    def send(
        self,
        connection: Connection,
        music_api: MusicApi,
        api_token: ApiToken,
        may_repeat: Callable[[], bool],
        trace: Trace | None,
    ) -> tuple[Outcome, Token]:
        """The outcome, and the token with which it was found.

        A refused token created nothing, so a second create with a newer token is safe. It needs a second connection.
        """
        outcome = connection.create(self.body, self.token.value, trace)
        if not (isinstance(outcome, Retryable) and outcome.reason is Reason.TOKEN_REFUSED):
            return outcome, self.token
        fresh = api_token.refresh(self.token)
        if fresh.generation == self.token.generation or not may_repeat():
            return outcome, fresh
        again = music_api.connect()
        if isinstance(again, Retryable):
            return again, fresh
        with again:
            return again.create(self.body, fresh.value, trace) if may_repeat() else outcome, fresh
