"""What switch_intake is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from song_intake.environment import CA_BUNDLE, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchSettings:
    """Of switch_intake. Times are seconds."""

    music_api_origin: str
    api_token_secret_arn: str
    ledger_table: str
    intake_mapping_uuid: str
    connect_timeout: float
    poll_deadline: float
    ca_bundle: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises InvalidSettings, which names what is wrong."""
        read = Reader(environment)
        return cls(
            music_api_origin=read.text("MUSIC_API_ORIGIN"),
            api_token_secret_arn=read.text("API_TOKEN_SECRET_ARN"),
            ledger_table=read.text("LEDGER_TABLE"),
            intake_mapping_uuid=read.text("INTAKE_MAPPING_UUID"),
            connect_timeout=read.number("CONNECT_TIMEOUT_SECONDS"),
            poll_deadline=read.number("POLL_DEADLINE_SECONDS"),
            ca_bundle=read.optional(CA_BUNDLE),
        )
