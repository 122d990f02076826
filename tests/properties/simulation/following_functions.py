"""The functions that follow a song, and submit_song, to which a story goes back: real code on simulated clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from song_intake.announcements import Announcer
from song_intake.api_token import ApiToken
from song_intake.backoff import Backoff
from song_intake.batch import Batch
from song_intake.callback import Callback
from song_intake.check_work import CheckWork
from song_intake.circuit_breaker import CircuitBreaker
from song_intake.dead_letters import DeadLetters
from song_intake.ledger import Ledger
from song_intake.ledger_following import Following
from song_intake.ledger_table import LedgerTable
from song_intake.our_webhook import OurWebhook
from song_intake.request_work import RequestWork
from song_intake.settings import RECEIVES_HELD_BACK
from song_intake.song_checks import SongChecks
from song_intake.submission import Submission
from song_intake.telling import Telling
from song_intake.tracking import Tracking
from song_intake.webhook_event import WebhookEndpoint
from song_intake.webhook_keys import WebhookKeys
from song_intake.webhook_reception import Reception
from tests.properties.simulation.bus import SimulatedEvents
from tests.properties.simulation.queues import CHECKS_URL, DEAD_LETTERS_URL, REQUESTS_URL, SimulatedSqs
from tests.properties.simulation.silence import SILENT
from tests.properties.simulation.vendor import SECRET_ID, SimulatedMusicApi, SimulatedSecrets
from tests.properties.simulation.webhooks import ENDPOINT, KEY_ID, SimulatedKeySecret
from tests.properties.simulation.workflows import SimulatedStepFunctions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

    from tests.properties.simulation.following_world import FollowingWorld

# The template's defaults, in seconds.
LEASE: Final = 75.0
PAID_CALL: Final = 40.0
POLL_CALL: Final = 25.0
FIRST_CHECK: Final = 15.0
CHECK_CAP: Final = 300.0
RESOLUTION_WINDOW: Final = 900.0
MAX_RECEIVE_COUNT: Final = 15


@dataclass(frozen=True, slots=True)
class Parts:
    """The classes under test. A test of the proof itself puts broken ones here."""

    following: type[Following] = Following
    tracking: type[Tracking] = Tracking
    check_work: type[CheckWork] = CheckWork
    telling: type[Telling] = Telling
    announcer: type[Announcer] = Announcer
    callback: type[Callback] = Callback
    song_checks: type[SongChecks] = SongChecks
    reception: type[Reception] = Reception
    request_work: type[RequestWork] = RequestWork


SHIPPED: Final = Parts()


class Functions:
    """One process of each, which share nothing but the world. Another such set is what comes after a death."""

    def __init__(self, world: FollowingWorld, parts: Parts) -> None:
        self._world = world
        self._parts = parts
        self.track_song = self._track_song()
        self.submit_song = self._submit_song()
        self.receive_webhook = WebhookEndpoint(
            parts.reception(self._keys(), self._following(), self._song_checks(self._sqs_of_checks, 0)), SILENT
        )

    def _track_song(self) -> Batch:
        sqs = self._sqs_of_checks
        tracking = self._parts.tracking(
            following=self._following(),
            music_api=SimulatedMusicApi(self._world, self._world.scene.vendor),
            api_token=self._api_token(),
            checks=self._song_checks(sqs, FIRST_CHECK),
            telling=self._telling(),
            first_wait=FIRST_CHECK,
            longest_wait=CHECK_CAP,
            tracking_hours=24,
        )
        work = self._parts.check_work(
            tracking=tracking, dead_letters=DeadLetters(sqs, DEAD_LETTERS_URL), poll_call=POLL_CALL
        )
        return Batch(work=work, sqs=sqs, queue_url=CHECKS_URL, telemetry=SILENT)

    def _submit_song(self) -> Batch:
        sqs = cast("SQSClient", SimulatedSqs(self._world, self._world.scene.requests, self._world.scene.checks))
        submission = Submission(
            ledger=Ledger(self._dynamodb, "ledger", LEASE, keep_days=90),
            music_api=SimulatedMusicApi(self._world, self._world.scene.vendor),
            api_token=self._api_token(),
            backoff=Backoff(base=5, cap=900),
            paid_call=PAID_CALL,
            last_try=MAX_RECEIVE_COUNT - RECEIVES_HELD_BACK,
            max_receive_count=MAX_RECEIVE_COUNT,
            breaker=CircuitBreaker(),
            webhook=OurWebhook(ENDPOINT, self._keys(), RESOLUTION_WINDOW),
        )
        work = self._parts.request_work(
            submission=submission,
            checks=self._song_checks(sqs, FIRST_CHECK),
            telling=self._telling(),
            dead_letters=DeadLetters(sqs, DEAD_LETTERS_URL),
        )
        return Batch(work=work, sqs=sqs, queue_url=REQUESTS_URL, telemetry=SILENT)

    def _telling(self) -> Telling:
        events = cast("EventBridgeClient", SimulatedEvents(self._world, self._world.scene.bus))
        step_functions = cast("SFNClient", SimulatedStepFunctions(self._world, self._world.scene.workflows))
        return self._parts.telling(self._parts.announcer(events, "bus"), self._parts.callback(step_functions))

    def _following(self) -> Following:
        return self._parts.following(LedgerTable(self._dynamodb, "ledger", keep_days=90))

    def _song_checks(self, sqs: SQSClient, first_check: float) -> SongChecks:
        return self._parts.song_checks(sqs, CHECKS_URL, first_check)

    def _api_token(self) -> ApiToken:
        return ApiToken(cast("SecretsManagerClient", SimulatedSecrets(self._world)), SECRET_ID)

    def _keys(self) -> WebhookKeys:
        return WebhookKeys(cast("SecretsManagerClient", SimulatedKeySecret(self._world)), KEY_ID)

    @property
    def _dynamodb(self) -> DynamoDBClient:
        return cast("DynamoDBClient", self._world.dynamodb)

    @property
    def _sqs_of_checks(self) -> SQSClient:
        return cast("SQSClient", SimulatedSqs(self._world, self._world.scene.checks, self._world.scene.checks))
