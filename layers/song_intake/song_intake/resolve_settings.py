"""What resolve_song is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from song_intake.environment import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveSettings:
    """Of resolve_song. Times are seconds unless they say otherwise."""

    ledger_table: str
    keep_days: int
    song_checks_queue_url: str
    event_bus_name: str
    first_check: float
    not_created_after: float

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises InvalidSettings, which names what is wrong."""
        read = Reader(environment)
        return cls(
            ledger_table=read.text("LEDGER_TABLE"),
            keep_days=read.number("KEEP_DAYS"),
            song_checks_queue_url=read.text("SONG_CHECKS_QUEUE_URL"),
            event_bus_name=read.text("EVENT_BUS_NAME"),
            first_check=read.number("FIRST_CHECK_SECONDS"),
            # By then whoever sent the create is dead, and the lease by which a wrong clock could err is past too.
            not_created_after=read.number("LEASE_SECONDS") + read.number("FUNCTION_TIMEOUT_SECONDS"),
        )
