"""The account at the music API: whether its token works, and what it can still pay for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.api_token import ApiToken, TokenUnavailable
from song_intake.outcome import NotSent
from song_intake.reason import Reason
from song_intake.task_state import NotTold

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from song_intake.credits_answer import Balance
    from song_intake.music_api import MusicApi


@dataclass(frozen=True, slots=True)
class Account:
    """Asking is free and harmless."""

    music_api: MusicApi
    secrets: SecretsManagerClient
    token_secret_id: str

    def balance(self) -> Balance | NotTold:
        """With the token as the secret has it now: a process that starts now finds no other."""
        try:
            token = ApiToken(self.secrets, self.token_secret_id).current()
        except TokenUnavailable:
            return NotTold(Reason.TOKEN_UNAVAILABLE)
        line = self.music_api.connect()
        if isinstance(line, NotSent):
            return NotTold(line.reason)
        with line:
            return line.credits(token.value)
