"""A song that was submitted, looked at as track_song does, without Lambda."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from song_intake.app.track import TrackSettings
from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import Decision, Done
from song_intake.ledger.following import TrackingStore
from song_intake.music_api.client import MusicApi
from song_intake.music_api.token import ApiToken
from song_intake.outgoing.checks import SongCheck, SongChecks
from song_intake.outgoing.dead_letters import DeadLetters
from song_intake.outgoing.notifier import Notifier
from song_intake.work.batch import Batch
from song_intake.work.check_work import CheckWork
from song_intake.work.tracking import Tracking
from song_intake.work.webhook_hints import WebhookHints
from tests.integration.bench import KEEP_DAYS, PLENTY_OF_TIME, Bench, plenty_of_time, record_of, song
from tests.integration.decisions import TITLE, decide
from tests.integration.handling import failed
from tests.local.vendor.story import TaskStory
from tests.signing import PROOFS, signed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FIRST_WAIT = 15.0
LONGEST_WAIT = 300.0
TRACKING_HOURS = 24
UNKNOWN_TASK_MINUTES = 30
CONNECT_TIMEOUT = 5.0
POLL_DEADLINE = 10.0
POLL_CALL = 12.0


def tracking(
    bench: Bench,
    *,
    dynamodb: "DynamoDBClient | None" = None,
    checks: SongChecks | None = None,
    notifier: Notifier | None = None,
    secret_id: str | None = None,
    poll_deadline: float = POLL_DEADLINE,
) -> Tracking:
    store = TrackingStore(bench.ledger_table(dynamodb))
    return Tracking(
        store=store,
        hints=WebhookHints(store, bench.proofs),
        music_api=MusicApi(bench.vendor.origin, bench.tls, CONNECT_TIMEOUT, poll_deadline),
        api_token=ApiToken(bench.secrets, secret_id or bench.secret_id),
        checks=checks or bench.song_checks(),
        notifier=notifier or bench.notifier(),
        first_wait=FIRST_WAIT,
        longest_wait=LONGEST_WAIT,
        tracking_hours=TRACKING_HOURS,
        unknown_task_minutes=UNKNOWN_TASK_MINUTES,
    )


def track_settings(bench: Bench) -> TrackSettings:
    """The settings that the template gives track_song, with times that suit a test."""
    return TrackSettings(
        music_api_origin=bench.vendor.origin,
        api_token_secret_arn=bench.secret_id,
        signing_key_secret_arn=bench.signing_key_id,
        ledger_table=bench.table,
        keep_days=KEEP_DAYS,
        song_checks_queue_url=bench.checks.url,
        check_dead_letter_queue_url=bench.dead_checks.url,
        song_recordings_queue_url=None,
        event_bus_name=bench.bus.name,
        connect_timeout=CONNECT_TIMEOUT,
        poll_deadline=POLL_DEADLINE,
        settle_margin=POLL_CALL - POLL_DEADLINE,
        function_timeout=PLENTY_OF_TIME,
        tracking_hours=TRACKING_HOURS,
        unknown_task_minutes=UNKNOWN_TASK_MINUTES,
        first_check=0,
        check_cap=LONGEST_WAIT,
        batch_size=10,
        ca_bundle=None,
    )


def check_batch(bench: Bench, of: Tracking | None = None, dead_letter_queue_url: str | None = None) -> Batch:
    dead_letters = DeadLetters(bench.sqs, dead_letter_queue_url or bench.dead_checks.url, bench.proofs)
    work = CheckWork(
        tracking=of or tracking(bench), dead_letters=dead_letters, proofs=bench.proofs, poll_call=POLL_CALL
    )
    return bench.batch_of(work, bench.checks)


def submitted(bench: Bench, request_id: str, story: TaskStory | None = None, **fields: object) -> SongCheck:
    """A song that was really created and recorded, as its check names it."""
    if story:
        bench.vendor.plan_task(TITLE, story)
    decision = decide(bench.submission(), record_of(song(TITLE, request_id, **fields)))
    assert isinstance(decision, Done)
    assert decision.task_id is not None
    return SongCheck(request_id, decision.task_id, time.time())


def body_of(check: SongCheck) -> str:
    return json.dumps(asdict(check))


def look(
    check: SongCheck,
    by: Tracking,
    *,
    receives: int = 1,
    sent_at: float | None = None,
    attributes: Mapping[str, str] | None = None,
) -> Decision:
    """One poll, without a queue. A check of an unknown task was sent when the task was first unknown."""
    sent_at = sent_at or check.unknown_since or time.time()
    body = body_of(check)
    record = record_of(
        body, receives=receives, sent_at=sent_at, attributes=signed(body, attributes) if attributes else None
    )
    return by.decide(check, PROOFS.read(Message.of(record)))


def look_at_all(bench: Bench, batch: Batch) -> set[str]:
    """Looks at what is on the queue of checks, acknowledges as Lambda would, and returns the ids that stay."""
    records = bench.checks.records()
    stay = failed(batch.handle(records, plenty_of_time))
    for taken in records:
        if taken["messageId"] not in stay:
            bench.checks.delete(taken["receiptHandle"])
    return stay
