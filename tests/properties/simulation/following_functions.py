"""The functions that track a song, and submit_song, to which a story goes back: real code on simulated clients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from song_intake.admission.circuit_breaker import CircuitBreaker
from song_intake.app.keep import keep_recording
from song_intake.app.submit import submit_song
from song_intake.app.track import track_song
from song_intake.app.webhook import WebhookSettings, receive_webhook
from song_intake.ledger.following import TrackingStore
from song_intake.ledger.keeping import KeepingStore
from song_intake.ledger.table import LedgerTable
from song_intake.outgoing.callback import TaskCallback
from song_intake.outgoing.checks import SongChecks
from song_intake.outgoing.events import EventPublisher
from song_intake.outgoing.notifier import Notifier
from song_intake.work.batch import Batch
from song_intake.work.check_work import CheckWork
from song_intake.work.keep_work import KeepWork
from song_intake.work.keeping import RecordingKeeper
from song_intake.work.request_work import RequestWork
from song_intake.work.tracking import Tracking
from song_intake.work.webhook_endpoint import WebhookEndpoint
from song_intake.work.webhook_hints import WebhookHints
from tests.properties.simulation.bus import SimulatedEvents
from tests.properties.simulation.clients import (
    SimulatedClients,
    SimulatedSecrets,
    keep_settings,
    submit_settings,
    track_settings,
    webhook_settings,
)
from tests.properties.simulation.queues import CHECKS_URL, SimulatedSqs
from tests.properties.simulation.recordings import Objects, SimulatedCopier
from tests.properties.simulation.silence import SILENT
from tests.properties.simulation.vendor import SimulatedMusicApi
from tests.properties.simulation.webhooks import KEY_ID
from tests.properties.simulation.workflows import SimulatedStepFunctions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

    from tests.properties.simulation.following_world import FollowingWorld

# The template's defaults, in seconds.
FIRST_CHECK: Final = 15.0
CHECK_CAP: Final = 300.0
RESOLUTION_WINDOW: Final = 900.0
MAX_RECEIVE_COUNT: Final = 15


@dataclass(frozen=True, slots=True)
class Parts:
    """The classes under test. A test of the proof itself puts broken ones here."""

    store: type[TrackingStore] = TrackingStore
    tracking: type[Tracking] = Tracking
    hints: type[WebhookHints] = WebhookHints
    check_work: type[CheckWork] = CheckWork
    notifier: type[Notifier] = Notifier
    publisher: type[EventPublisher] = EventPublisher
    callback: type[TaskCallback] = TaskCallback
    keeping_store: type[KeepingStore] = KeepingStore
    keeper: type[RecordingKeeper] = RecordingKeeper
    song_checks: type[SongChecks] = SongChecks
    endpoint: type[WebhookEndpoint] = WebhookEndpoint


SHIPPED: Final = Parts()


class Functions:
    """One process of each, as app/ builds it, with the parts under test. Another such set replaces a crashed one."""

    def __init__(self, world: FollowingWorld, parts: Parts) -> None:
        self._world = world
        self._parts = parts
        self.track_song = self._track_song()
        self.submit_song = self._submit_song()
        self.keep_recording = self._keep_recording()
        self.receive_webhook = self._receive_webhook()

    def _track_song(self) -> Batch:
        settings = track_settings(keeps=self._keeps)
        clients = self._clients(self._sqs_of_checks)
        batch = track_song(settings, clients, SILENT, self._music_api())
        assert isinstance(batch.work, CheckWork)
        built = batch.work.tracking
        store = self._store()
        tracking = self._parts.tracking(
            store=store,
            hints=self._parts.hints(store, built.hints.proofs),
            music_api=built.music_api,
            api_token=built.api_token,
            checks=self._song_checks(self._sqs_of_checks, FIRST_CHECK),
            notifier=self._notifier(clients),
            first_wait=built.first_wait,
            longest_wait=built.longest_wait,
            tracking_hours=built.tracking_hours,
            unknown_task_minutes=built.unknown_task_minutes,
            orders=built.orders,
        )
        work = self._parts.check_work(
            tracking=tracking,
            dead_letters=batch.work.dead_letters,
            proofs=batch.work.proofs,
            poll_call=batch.work.poll_call,
        )
        return replace(batch, work=work)

    def _keep_recording(self) -> Batch:
        scene = self._world.scene
        sqs = cast("SQSClient", SimulatedSqs(self._world, scene.recordings, recordings=scene.recordings))
        clients = self._clients(sqs)
        copier = SimulatedCopier(self._world, scene.objects or Objects())
        batch = keep_recording(keep_settings(), clients, SILENT, copier)
        assert isinstance(batch.work, KeepWork)
        keeper = self._parts.keeper(
            store=self._parts.keeping_store(self._table()),
            copier=copier,
            orders=batch.work.keeper.orders,
            notifier=self._notifier(clients),
            report=batch.work.keeper.report,
            with_wav=False,
            settle_margin=10,
        )
        return replace(batch, work=replace(batch.work, keeper=keeper))

    def _submit_song(self) -> Batch:
        sqs = cast("SQSClient", SimulatedSqs(self._world, self._world.scene.requests, self._world.scene.checks))
        clients = self._clients(sqs)
        batch = submit_song(submit_settings(**webhook_settings()), clients, SILENT, self._music_api())
        assert isinstance(batch.work, RequestWork)
        work = replace(
            batch.work,
            submission=replace(batch.work.submission, breaker=CircuitBreaker()),
            steps=replace(
                batch.work.steps, checks=self._song_checks(sqs, FIRST_CHECK), notifier=self._notifier(clients)
            ),
        )
        return replace(batch, work=work)

    def _receive_webhook(self) -> WebhookEndpoint:
        """It has no client of the ledger."""
        settings = WebhookSettings(signing_key_secret_arn=KEY_ID, song_checks_queue_url=CHECKS_URL)
        clients = SimulatedClients(sqs=self._sqs_of_checks, secretsmanager=SimulatedSecrets(self._world))
        built = receive_webhook(settings, clients, SILENT)
        return self._parts.endpoint(built.keys, built.proofs, self._song_checks(self._sqs_of_checks, 0), SILENT)

    @property
    def _keeps(self) -> bool:
        return self._world.scene.objects is not None

    def _clients(self, sqs: SQSClient) -> SimulatedClients:
        return SimulatedClients(
            dynamodb=self._world.dynamodb,
            sqs=sqs,
            events=SimulatedEvents(self._world, self._world.scene.bus),
            secretsmanager=SimulatedSecrets(self._world),
            stepfunctions=SimulatedStepFunctions(self._world, self._world.scene.workflows),
        )

    def _music_api(self) -> SimulatedMusicApi:
        return SimulatedMusicApi(self._world, self._world.scene.vendor)

    def _notifier(self, clients: SimulatedClients) -> Notifier:
        events = cast("EventBridgeClient", clients.client("events"))
        step_functions = cast("SFNClient", clients.client("stepfunctions"))
        return self._parts.notifier(self._parts.publisher(events, "bus"), self._parts.callback(lambda: step_functions))

    def _store(self) -> TrackingStore:
        return self._parts.store(self._table(), keeps=self._keeps)

    def _table(self) -> LedgerTable:
        return LedgerTable(cast("DynamoDBClient", self._world.dynamodb), "ledger", keep_days=90)

    def _song_checks(self, sqs: SQSClient, first_check: float) -> SongChecks:
        return self._parts.song_checks(sqs, CHECKS_URL, first_check)

    @property
    def _sqs_of_checks(self) -> SQSClient:
        scene = self._world.scene
        return cast("SQSClient", SimulatedSqs(self._world, scene.checks, scene.checks, scene.recordings))
