"""The settings of resolve_song, and its construction from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from song_intake.app.environment import CaBundle, Seconds, Settings
from song_intake.app.parts import notifier
from song_intake.ledger.resolving import ResolutionStore
from song_intake.ledger.table import LedgerTable
from song_intake.music_api.client import MusicApi
from song_intake.music_api.token import ApiToken
from song_intake.outgoing.checks import SongChecks
from song_intake.work.resolution import Resolution
from song_intake.work.task_check import TaskCheck

if TYPE_CHECKING:
    from song_intake.aws.clients import Clients
    from song_intake.outgoing.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveSettings(Settings):
    """Times are in seconds."""

    aws_seconds: ClassVar[float] = 12
    """The longest three AWS calls in a row: see AwsClients. Our choice."""

    music_api_origin: str
    api_token_secret_arn: str
    ledger_table: str
    keep_days: int
    song_checks_queue_url: str
    event_bus_name: str
    connect_timeout: Seconds
    poll_deadline: Seconds
    first_check: Seconds
    lease: Seconds
    function_timeout: Seconds
    """The timeout of submit_song, in seconds."""
    ca_bundle: CaBundle

    @property
    def not_created_after(self) -> float:
        """The age in seconds that a doubt must have: the function that sent the create has then ended, by any clock."""
        return self.lease + self.function_timeout


def resolve_song(
    settings: ResolveSettings, aws: Clients, telemetry: Telemetry, music_api: MusicApi | None = None
) -> Resolution:
    """Build the function. music_api: a replacement for the client that the settings describe."""
    store = ResolutionStore(LedgerTable(aws.client("dynamodb"), settings.ledger_table, settings.keep_days))
    task_check = TaskCheck(
        store=store,
        music_api=music_api
        or MusicApi(settings.music_api_origin, aws.tls, settings.connect_timeout, settings.poll_deadline),
        api_token=ApiToken(aws.client("secretsmanager"), settings.api_token_secret_arn),
    )
    return Resolution(
        store=store,
        task_check=task_check,
        checks=SongChecks(aws.client("sqs"), settings.song_checks_queue_url, settings.first_check),
        notifier=notifier(aws, settings.event_bus_name, telemetry),
        not_created_after=settings.not_created_after,
        on_handled=lambda: telemetry.count(()),
    )
