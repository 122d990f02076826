"""The settings of track_song, and its construction from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.app.environment import CaBundle, Seconds, Settings
from song_intake.app.parts import dead_letters, notifier
from song_intake.aws.signing_key import SigningKeys
from song_intake.contract.proof import Proofs
from song_intake.ledger.following import TrackingStore
from song_intake.ledger.table import LedgerTable
from song_intake.music_api.client import MusicApi
from song_intake.music_api.token import ApiToken
from song_intake.outgoing.checks import SongChecks
from song_intake.outgoing.recording_orders import RecordingOrders
from song_intake.work.batch import ANSWER_MARGIN_SECONDS, Batch
from song_intake.work.check_work import CheckWork
from song_intake.work.tracking import Tracking
from song_intake.work.webhook_hints import WebhookHints

if TYPE_CHECKING:
    from song_intake.aws.clients import Clients
    from song_intake.outgoing.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSettings(Settings):
    """Times are in seconds, unless the name has another unit."""

    music_api_origin: str
    api_token_secret_arn: str
    signing_key_secret_arn: str
    ledger_table: str
    keep_days: int
    song_checks_queue_url: str
    check_dead_letter_queue_url: str
    song_recordings_queue_url: str | None
    event_bus_name: str
    connect_timeout: Seconds
    poll_deadline: Seconds
    settle_margin: Seconds
    function_timeout: Seconds
    tracking_hours: int
    unknown_task_minutes: int
    first_check: Seconds
    check_cap: Seconds
    batch_size: int
    ca_bundle: CaBundle

    @property
    def aws_seconds(self) -> float:
        """The seconds in which an outcome must be recorded: what the margin leaves besides the response to Lambda."""
        return self.settle_margin - ANSWER_MARGIN_SECONDS

    @property
    def poll_call(self) -> float:
        """The seconds that a poll and the writes after it may need: a poll begins only if so many are left."""
        return self.connect_timeout + self.poll_deadline + self.settle_margin

    def rules(self) -> Mapping[str, bool]:
        """The inequality without which no song would be polled."""
        return {
            "CONNECT_TIMEOUT_SECONDS + POLL_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS must be less than "
            "FUNCTION_TIMEOUT_SECONDS, or no poll would ever begin": self.poll_call < self.function_timeout
        }


def track_song(settings: TrackSettings, aws: Clients, telemetry: Telemetry, music_api: MusicApi | None = None) -> Batch:
    """Build the function. music_api: a replacement for the client that the settings describe."""
    sqs = aws.client("sqs")
    proofs = Proofs(SigningKeys(aws.client("secretsmanager"), settings.signing_key_secret_arn))
    queue_url = settings.song_recordings_queue_url
    table = LedgerTable(aws.client("dynamodb"), settings.ledger_table, settings.keep_days)
    store = TrackingStore(table, keeps=queue_url is not None)
    tracking = Tracking(
        store=store,
        hints=WebhookHints(store, proofs),
        music_api=music_api
        or MusicApi(settings.music_api_origin, aws.tls, settings.connect_timeout, settings.poll_deadline),
        api_token=ApiToken(aws.client("secretsmanager"), settings.api_token_secret_arn),
        checks=SongChecks(sqs, settings.song_checks_queue_url, settings.first_check),
        notifier=notifier(aws, settings.event_bus_name, telemetry),
        orders=RecordingOrders(sqs, queue_url) if queue_url else None,
        first_wait=settings.first_check,
        longest_wait=settings.check_cap,
        tracking_hours=settings.tracking_hours,
        unknown_task_minutes=settings.unknown_task_minutes,
        on_event=telemetry.published_after,
    )
    letters = dead_letters(aws, settings.check_dead_letter_queue_url, proofs, telemetry)
    work = CheckWork(tracking=tracking, dead_letters=letters, proofs=proofs, poll_call=settings.poll_call)
    return Batch(work=work, sqs=sqs, queue_url=settings.song_checks_queue_url, telemetry=telemetry)
