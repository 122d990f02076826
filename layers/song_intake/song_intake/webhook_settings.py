"""What receive_webhook is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from song_intake.environment import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Of receive_webhook."""

    ledger_table: str
    keep_days: int
    webhook_key_secret_arn: str
    song_checks_queue_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises InvalidSettings, which names what is wrong."""
        read = Reader(environment)
        return cls(
            ledger_table=read.text("LEDGER_TABLE"),
            keep_days=read.number("KEEP_DAYS"),
            webhook_key_secret_arn=read.text("WEBHOOK_KEY_SECRET_ARN"),
            song_checks_queue_url=read.text("SONG_CHECKS_QUEUE_URL"),
        )
