"""What track_song is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from song_intake.environment import CA_BUNDLE, Reader, require


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSettings:
    """Of track_song. Times are seconds unless they say otherwise."""

    music_api_origin: str
    api_token_secret_arn: str
    ledger_table: str
    keep_days: int
    song_checks_queue_url: str
    check_dead_letter_queue_url: str
    event_bus_name: str
    connect_timeout: float
    poll_deadline: float
    settle_margin: float
    function_timeout: float
    tracking_hours: float
    first_check: float
    check_cap: float
    batch_size: int
    ca_bundle: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises InvalidSettings, which names what is wrong."""
        read = Reader(environment)
        settings = cls(
            music_api_origin=read.text("MUSIC_API_ORIGIN"),
            api_token_secret_arn=read.text("API_TOKEN_SECRET_ARN"),
            ledger_table=read.text("LEDGER_TABLE"),
            keep_days=read.number("KEEP_DAYS"),
            song_checks_queue_url=read.text("SONG_CHECKS_QUEUE_URL"),
            check_dead_letter_queue_url=read.text("CHECK_DEAD_LETTER_QUEUE_URL"),
            event_bus_name=read.text("EVENT_BUS_NAME"),
            connect_timeout=read.number("CONNECT_TIMEOUT_SECONDS"),
            poll_deadline=read.number("POLL_DEADLINE_SECONDS"),
            settle_margin=read.number("SETTLE_MARGIN_SECONDS"),
            function_timeout=read.number("FUNCTION_TIMEOUT_SECONDS"),
            tracking_hours=read.number("TRACKING_HOURS"),
            first_check=read.number("FIRST_CHECK_SECONDS"),
            check_cap=read.number("CHECK_CAP_SECONDS"),
            batch_size=read.number("BATCH_SIZE"),
            ca_bundle=read.optional(CA_BUNDLE),
        )
        require(
            {
                "CONNECT_TIMEOUT_SECONDS + POLL_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS must be less than "
                "FUNCTION_TIMEOUT_SECONDS, or no poll would ever begin": settings.poll_call < settings.function_timeout
            }
        )
        return settings

    @property
    def poll_call(self) -> float:
        """What a poll and its settling may take, and so what must be left to begin one."""
        return self.connect_timeout + self.poll_deadline + self.settle_margin
