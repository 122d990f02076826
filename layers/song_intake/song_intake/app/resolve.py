"""The settings of resolve_song, and its construction from them."""

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
    """The longest three AWS calls in a row: see AwsClients. Our choice."""

    ledger_table: str
    keep_days: int
    song_checks_queue_url: str
    event_bus_name: str
    first_check: Seconds
    lease: Seconds
    function_timeout: Seconds
    """The timeout of submit_song, in seconds."""

    @property
    def not_created_after(self) -> float:
        """The age in seconds that a doubt must have: the function that sent the create has then ended, by any clock."""
        return self.lease + self.function_timeout


def resolve_song(settings: ResolveSettings, aws: Clients, telemetry: Telemetry) -> Resolution:
    """Build the function."""
    return Resolution(
        store=ResolutionStore(LedgerTable(aws.client("dynamodb"), settings.ledger_table, settings.keep_days)),
        checks=SongChecks(aws.client("sqs"), settings.song_checks_queue_url, settings.first_check),
        notifier=notifier(aws, settings.event_bus_name, telemetry),
        not_created_after=settings.not_created_after,
        on_handled=lambda: telemetry.count(()),
    )
