"""The steps of submitting one request, in order:

    parse -> token -> slot near -> connect -> claim -> slot -> create -> settle

Every step before the claim may fail and be repeated freely. Between claim and settle are the wait for the slot and one
foreign call. If the call ends without a complete response (a crash of this process included), the request stays
SUBMITTING or IN_DOUBT, and no code here ever sends it again. The result is a Decision; the batch performs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from song_intake.admission.circuit_breaker import CircuitBreaker
from song_intake.admission.pacer import Unpaced
from song_intake.domain.decision import DeadLetter, Decision, Done, RetryIn
from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import ACCOUNT_FAULTS, Reason
from song_intake.domain.status import Status
from song_intake.ledger.submitting import Claim, SubmissionStore
from song_intake.ledger.table import Existing, LedgerUnavailable, Written, row_in
from song_intake.music_api.client import Connection, MusicApi
from song_intake.music_api.token import ApiToken, Token, TokenUnavailable
from song_intake.music_api.webhook import KeyUnavailable
from song_intake.work.existing_row import decision_for_existing

if TYPE_CHECKING:
    from song_intake.admission.pacer import Pacer, Reservation
    from song_intake.contract.song_request import SongRequest
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import SideEffectFailed
    from song_intake.ledger.row import Row
    from song_intake.music_api.webhook import WebhookConfig
    from song_intake.work.backoff import Backoff
    from song_intake.work.batch import TimeLeft


@dataclass(frozen=True, slots=True)
class _Call:
    """What is sent, and with which token."""

    token: Token
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Submits requests. Safe to share between threads."""

    store: SubmissionStore
    music_api: MusicApi
    api_token: ApiToken
    backoff: Backoff
    paid_call: float
    """Seconds that must be left to begin a create: its deadline and its settling."""
    final_receive: int
    """The receive on which a message is given up rather than left on its queue."""
    max_receive_count: int
    """The receive after which SQS moves the message itself, without a reason."""
    breaker: CircuitBreaker
    pacer: Pacer = field(default_factory=Unpaced)
    webhook: WebhookConfig | None = None
    """The webhook that goes along with a create; None if it is switched off."""

    def decide(self, request: SongRequest, message: Message, time_left: TimeLeft) -> Decision:
        """Bring one request as far as possible in this invocation, and decide what happens to its message."""
        try:
            decision = self._attempt(request, message, time_left)
        except LedgerUnavailable as failure:
            decision = self._later(message, Reason.LEDGER_UNAVAILABLE, f"the ledger did not answer ({failure})")
        if isinstance(decision, RetryIn) and message.receive_count >= self.final_receive:
            return self._final_decision(request, message, decision)
        return decision

    def on_unexpected_error(self, message: Message, failure: BaseException) -> Decision:
        """The decision for a message whose handling raised. When the message is back, its row decides."""
        detail = f"the function failed on this message ({type(failure).__name__})"
        if message.receive_count >= self.max_receive_count:
            return DeadLetter(Reason.RETRIES_EXHAUSTED, f"given up after {message.receive_count} receives: {detail}")
        return self._later(message, Reason.UNFORESEEN, detail)

    def on_side_effect_failure(self, message: Message, failure: SideEffectFailed) -> Decision:
        """The decision for a message of which a follow-up step failed: it stays, and all steps are repeated."""
        return self._later(message, failure.reason, f"a follow-up step failed ({failure}); all steps will be repeated")

    def _attempt(self, request: SongRequest, message: Message, time_left: TimeLeft) -> Decision:
        if message.known_task_id is not None:
            return self._record(request, message.known_task_id, message)
        if message.receive_count > self.final_receive:
            return self._later(message, Reason.UNFORESEEN, _RESERVED)
        try:
            call = _Call(self.api_token.current(), self._body(request))
        except TokenUnavailable as failure:
            return self._without_a_token(message, failure)
        except KeyUnavailable as failure:
            return self._later(message, Reason.WEBHOOK_KEY_UNAVAILABLE, str(failure))
        with self.pacer.reserve() as slot:
            if isinstance(slot, Retryable):
                return self._wait(message, slot)
            # Checked near the slot, when the outcomes of those ahead are known. The last try always runs: no message is
            # given up only because of what happened to others.
            if message.receive_count < self.final_receive and (fault := self.breaker.fault()):
                return self._wait(message, fault)
            connection = self.music_api.connect()
            if isinstance(connection, Retryable):
                return self._later(message, connection.reason, connection.detail)
            with connection:
                return self._claim_and_create(request, message, time_left, connection, call, slot)

    def _body(self, request: SongRequest) -> bytes:
        return self.webhook.with_webhook(request) if self.webhook else request.create_body

    def _claim_and_create(
        self,
        request: SongRequest,
        message: Message,
        time_left: TimeLeft,
        connection: Connection,
        call: _Call,
        slot: Reservation,
    ) -> Decision:
        if time_left() < self.paid_call:
            return self._later(message, *_NO_TIME)
        claim = self.store.claim(request, message.message_id)
        if isinstance(claim, Existing):
            return self._existing(claim, request, message)
        outcome: Outcome | None = slot.wait()
        if outcome is None:
            # Checked again: the claim may have been slow, and so may the wait for the slot.
            outcome = (
                self._create(call, connection, time_left) if time_left() >= self.paid_call else Retryable(*_NO_TIME)
            )
        decision = self._settle(claim, outcome, message)
        self.breaker.record_outcome(outcome)
        if isinstance(outcome, Retryable) and outcome.reason is Reason.RATE_LIMITED:
            slot.slow_down(outcome.retry_after)
        return decision

    def _create(self, call: _Call, connection: Connection, time_left: TimeLeft) -> Outcome:
        """One create, and a second one under the same claim if the token was refused: the first created nothing."""
        outcome = connection.create(call.body, call.token.value)
        if not (isinstance(outcome, Retryable) and outcome.reason is Reason.TOKEN_REFUSED):
            return outcome
        fresh = self.api_token.refresh(call.token)
        if fresh.generation == call.token.generation or time_left() < self.paid_call:
            return outcome
        again = self.music_api.connect()
        if isinstance(again, Retryable):
            return again
        with again:
            return again.create(call.body, fresh.value) if time_left() >= self.paid_call else outcome

    def _settle(self, claim: Claim, outcome: Outcome, message: Message) -> Decision:
        """Record the outcome, then decide: a decision counts only once its outcome is written."""
        match outcome:
            case Created(task_id):
                return self._record(claim.request, task_id, message, claim)
            case Refused():
                result = self.store.record_rejected(claim, outcome)
                decision: Decision = DeadLetter(
                    outcome.reason, outcome.detail, outcome.http_status, outcome.vendor_code
                )
            case Retryable():
                result = self.store.record_retrying(claim, outcome)
                decision = self._wait(message, outcome)
            case Unknown():
                result = self.store.record_in_doubt(claim, outcome)
                return decision_for_existing(row_in(result), claim.request, message)
            case _:
                assert_never(outcome)
        return decision if isinstance(result, Written) else self._existing(result, claim.request, message)

    def _record(self, request: SongRequest, task_id: str, message: Message, claim: Claim | None = None) -> Decision:
        """Save a known task_id. If the ledger cannot, the dead letter holds the id, and its redrive returns here."""
        try:
            result = self.store.record_task(request, task_id, claim)
            if isinstance(result, Written):
                return Done(task_id)
            row = row_in(result)
            if (row.task_id, row.fingerprint) == (task_id, request.fingerprint):
                return Done(task_id)
            self.store.add_other_task(request.request_id, task_id)
        except Exception as failure:  # noqa: BLE001 - no exception may lose a known task_id
            cause = str(failure) if isinstance(failure, LedgerUnavailable) else type(failure).__name__
            detail = f"the song was created, but its task_id could not be recorded ({cause}); a redrive records it"
            return DeadLetter(Reason.TASK_NOT_RECORDED, detail, task_id=task_id)
        return decision_for_existing(row, request, message)

    def _existing(self, result: Existing, request: SongRequest, message: Message) -> Decision:
        return decision_for_existing(row_in(result), request, message)

    def _without_a_token(self, message: Message, failure: TokenUnavailable) -> RetryIn:
        fault = Retryable(Reason.TOKEN_UNAVAILABLE, str(failure))
        self.breaker.record_outcome(fault)
        return self._wait(message, fault)

    def _wait(self, message: Message, outcome: Retryable) -> RetryIn:
        if outcome.reason in ACCOUNT_FAULTS and outcome.retry_after is None:
            return RetryIn(self.backoff.account_fault(), outcome.reason, outcome.detail)
        if outcome.reason is Reason.PACED:
            return RetryIn(self.backoff.until(outcome.retry_after), outcome.reason, outcome.detail)
        wait = self.backoff.after(message.receive_count, outcome.retry_after)
        return RetryIn(wait, outcome.reason, outcome.detail)

    def _later(self, message: Message, reason: Reason, detail: str) -> RetryIn:
        return RetryIn(self.backoff.after(message.receive_count), reason, detail)

    def _final_decision(self, request: SongRequest, message: Message, decision: RetryIn) -> Decision:
        """Nothing was created and the attempts are used up: REJECTED, and a dead letter with the reason.

        While receives are reserved, the two cases that do not concern this message keep waiting: a live claim of
        another delivery, and a ledger that does not answer. On the very last receive, the dead letter is sent without
        a row.
        """
        detail = (
            f"given up after {message.receive_count} receives; the last reason: {decision.reason}: {decision.detail}"
        )
        letter = DeadLetter(Reason.RETRIES_EXHAUSTED, detail)
        try:
            result = self.store.record_given_up(request, message.message_id, letter.reason, letter.detail)
            final: Decision = letter
            if isinstance(result, Existing) and not _given_up_elsewhere(row_in(result), message):
                final = self._existing(result, request, message)
        except LedgerUnavailable:
            final = decision
        return letter if isinstance(final, RetryIn) and message.receive_count >= self.max_receive_count else final


_RESERVED = "the last receives are reserved for dead-lettering; not attempted"
_NO_TIME = (Reason.NO_TIME_LEFT, "too little of the invocation was left for a paid call")


def _given_up_elsewhere(row: Row, message: Message) -> bool:
    """Whether another message of this request was given up in between: then this one has nothing to wait for either."""
    return row.status is Status.REJECTED and row.message_id != message.message_id
