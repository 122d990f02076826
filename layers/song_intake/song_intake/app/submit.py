"""The settings of submit_song, and its construction from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.admission.circuit_breaker import FIRST_HOLD_SECONDS, CircuitBreaker
from song_intake.admission.pace import SECONDS_A_MINUTE
from song_intake.admission.pace_item import PaceItem
from song_intake.admission.pacer import Pacer, SharedPacer, Unpaced
from song_intake.admission.refusal_streak import RefusalStreak
from song_intake.app.environment import CaBundle, CountOrZero, Seconds, SecondsOrZero, Settings
from song_intake.app.parts import dead_letters, notifier
from song_intake.aws.signing_key import SigningKeys
from song_intake.contract.proof import Proofs
from song_intake.ledger.follow_ups import FollowUps
from song_intake.ledger.submitting import SubmissionStore
from song_intake.ledger.table import LedgerTable
from song_intake.ledger.task_tokens import TaskTokens
from song_intake.music_api.balance_check import BalanceCheck
from song_intake.music_api.client import MusicApi
from song_intake.music_api.token import ApiToken
from song_intake.music_api.webhook import WebhookConfig, no_window
from song_intake.outgoing.checks import SongChecks
from song_intake.outgoing.events import AccountFaultPublisher
from song_intake.outgoing.requests import RequestQueue
from song_intake.work.backoff import Backoff
from song_intake.work.batch import ANSWER_MARGIN_SECONDS, Batch
from song_intake.work.message_steps import MessageSteps
from song_intake.work.request_work import RequestWork
from song_intake.work.submission import Submission

if TYPE_CHECKING:
    from song_intake.aws.clients import Clients
    from song_intake.outgoing.telemetry import Telemetry
    from song_intake.work.budget_gate import BudgetGate

# The last receives of the redrive policy's count. The handler sends its own dead letter this many receives before SQS
# would move the message without a reason. So even if the function crashes on that attempt, it can still send one.
RESERVED_RECEIVES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitSettings(Settings):
    """Times are in seconds."""

    music_api_origin: str
    api_token_secret_arn: str
    ledger_table: str
    song_requests_queue_url: str
    dead_letter_queue_url: str
    connect_timeout: Seconds
    create_deadline: Seconds
    settle_margin: Seconds
    function_timeout: Seconds
    lease: Seconds
    max_receive_count: int
    retry_base: Seconds
    retry_cap: Seconds
    keep_days: int
    batch_size: int
    creates_per_minute: CountOrZero
    """The pace of all workers together; 0: unlimited."""
    creates_per_day: CountOrZero
    """The budget of the stack for a UTC day; 0: unlimited."""
    creates_per_day_and_sender: CountOrZero
    """Likewise, of each sender."""
    song_checks_queue_url: str
    first_check: Seconds
    event_bus_name: str
    webhook_url: str | None
    """None if the webhook is switched off."""
    signing_key_secret_arn: str
    resolution_window: SecondsOrZero
    ca_bundle: CaBundle

    @property
    def aws_seconds(self) -> float:
        """The seconds in which an outcome must be recorded: what the margin leaves besides the response to Lambda."""
        return self.settle_margin - ANSWER_MARGIN_SECONDS

    @property
    def paid_call(self) -> float:
        """The seconds that a create and recording its outcome may need: a create begins only if so many are left."""
        return self.create_deadline + self.settle_margin

    @property
    def final_receive(self) -> int:
        """The receive on which the handler makes the final decision."""
        return self.max_receive_count - RESERVED_RECEIVES

    @property
    def slot_wait(self) -> float:
        """Seconds that a full batch waits for its slots, if no other worker has reserved any."""
        return self.batch_size * SECONDS_A_MINUTE / self.creates_per_minute if self.creates_per_minute else 0

    def rules(self) -> Mapping[str, bool]:
        """The inequalities without which a request could be lost, or paid for twice."""
        return {
            "CREATE_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS must be less than FUNCTION_TIMEOUT_SECONDS, or no "
            "create would ever begin": self.paid_call < self.function_timeout,
            "BATCH_SIZE creates at CREATES_PER_MINUTE and a paid call must fit into FUNCTION_TIMEOUT_SECONDS, or a "
            "message uses up its receives by waiting": self.slot_wait + self.paid_call < self.function_timeout,
            "LEASE_SECONDS must be at least FUNCTION_TIMEOUT_SECONDS, or a claim in use counts as abandoned": (
                self.lease >= self.function_timeout
            ),
            f"MAX_RECEIVE_COUNT must be more than {RESERVED_RECEIVES}, the reserved receives": self.final_receive >= 1,
            "RETRY_BASE_SECONDS must be at most RETRY_CAP_SECONDS": self.retry_base <= self.retry_cap,
        }


def submit_song(
    settings: SubmitSettings, aws: Clients, telemetry: Telemetry, music_api: MusicApi | None = None
) -> Batch:
    """Build the function. music_api: a replacement for the client that the settings describe."""
    sqs = aws.client("sqs")
    keys = SigningKeys(aws.client("secretsmanager"), settings.signing_key_secret_arn)
    proofs = Proofs(keys)
    requests = RequestQueue(sqs, settings.song_requests_queue_url, proofs)
    submission = _submission(settings, aws, telemetry, keys, music_api, requests)
    work = RequestWork(
        submission=submission,
        steps=MessageSteps(
            checks=SongChecks(sqs, settings.song_checks_queue_url, settings.first_check),
            notifier=notifier(aws, settings.event_bus_name, telemetry),
            dead_letters=dead_letters(aws, settings.dead_letter_queue_url, proofs, telemetry),
            task_tokens=TaskTokens(submission.store.table),
        ),
        follow_ups=FollowUps(submission.store.table),
        requests=requests,
        proofs=proofs,
        on_submitted=telemetry.submitted_after,
    )
    return Batch(work=work, sqs=sqs, queue_url=settings.song_requests_queue_url, telemetry=telemetry)


def _submission(
    settings: SubmitSettings,
    aws: Clients,
    telemetry: Telemetry,
    keys: SigningKeys,
    music_api: MusicApi | None,
    requests: RequestQueue,
) -> Submission:
    webhook = _webhook(settings, keys)
    table = LedgerTable(aws.client("dynamodb"), settings.ledger_table, settings.keep_days)
    music_api = music_api or MusicApi(
        settings.music_api_origin, aws.tls, settings.connect_timeout, settings.create_deadline
    )
    return Submission(
        store=SubmissionStore(
            table, settings.lease, webhook.window_for if webhook else no_window, telemetry.batched_write_refused
        ),
        music_api=music_api,
        balance_check=BalanceCheck(music_api),
        api_token=ApiToken(aws.client("secretsmanager"), settings.api_token_secret_arn),
        backoff=Backoff(settings.retry_base, settings.retry_cap),
        paid_call=settings.paid_call,
        settle_margin=settings.settle_margin,
        final_receive=settings.final_receive,
        max_receive_count=settings.max_receive_count,
        pacer=_pacer(settings, aws),
        breaker=_breaker(settings, aws, telemetry),
        budget=_budget(settings, aws, telemetry, requests),
        webhook=webhook,
        on_created=telemetry.created,
    )


def _webhook(settings: SubmitSettings, keys: SigningKeys) -> WebhookConfig | None:
    if settings.webhook_url is None:
        return None
    return WebhookConfig(settings.webhook_url, keys, settings.resolution_window)


def _pacer(settings: SubmitSettings, aws: Clients) -> Pacer:
    if settings.creates_per_minute == 0:
        return Unpaced()
    item = PaceItem(aws.client("dynamodb"), settings.ledger_table)
    return SharedPacer(item, settings.creates_per_minute, settings.paid_call, settings.connect_timeout)


def _budget(settings: SubmitSettings, aws: Clients, telemetry: Telemetry, requests: RequestQueue) -> BudgetGate | None:
    of_stack, of_sender = settings.creates_per_day, settings.creates_per_day_and_sender
    if not of_stack and not of_sender:
        return None
    from song_intake.app.budget import budget_gate  # noqa: PLC0415 - see there

    return budget_gate(of_stack, of_sender, settings.ledger_table, aws, telemetry, requests)


def _breaker(settings: SubmitSettings, aws: Clients, telemetry: Telemetry) -> CircuitBreaker:
    report = AccountFaultPublisher(aws.client("events"), settings.event_bus_name, telemetry.account_fault_unpublished)
    return CircuitBreaker(
        report,
        # A shorter Retry-After is kept by the pace, within the invocation.
        patience=settings.function_timeout - settings.paid_call,
        # No message waits longer than the cap by our own choice, so a longer first hold would only delay messages.
        first_hold=min(FIRST_HOLD_SECONDS, settings.retry_cap),
        refusals=RefusalStreak(telemetry.repeated_refusal),
    )
