"""resolve_song: its settings, and how it is built from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from song_intake.app.environment import Seconds, Settings
from song_intake.app.parts import notifier
from song_intake.ledger.resolving import ResolutionStore
from song_intake.ledger.table import LedgerTable
from song_intake.outgoing.checks import SongChecks
from song_intake.work.resolution import Resolution

if TYPE_CHECKING:
    from song_intake.aws.clients import Clients
    from song_intake.outgoing.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveSettings(Settings):
    """Times are in seconds."""

    aws_seconds: ClassVar[float] = 12
    """For all calls of AWS."""

    ledger_table: str
    keep_days: int
    song_checks_queue_url: str
    event_bus_name: str
    first_check: Seconds
    lease: Seconds
    function_timeout: Seconds
    """Of submit_song."""

    @property
    def not_created_after(self) -> float:
        """How old a doubt must be: whoever sent the create has ended by then, whatever its clock showed."""
        return self.lease + self.function_timeout


def resolve_song(settings: ResolveSettings, aws: Clients, telemetry: Telemetry) -> Resolution:
    """The function from its settings and its clients."""
    return Resolution(
        store=ResolutionStore(LedgerTable(aws.client("dynamodb"), settings.ledger_table, settings.keep_days)),
        checks=SongChecks(aws.client("sqs"), settings.song_checks_queue_url, settings.first_check),
        notifier=notifier(aws, settings.event_bus_name, telemetry),
        not_created_after=settings.not_created_after,
    )
