"""The steps of submitting one request, in order:

    parse -> not expired -> token -> slot near -> connect -> budget -> claim -> slot -> create -> settle

Every step before the claim may fail and be repeated freely. Between claim and settle are the wait for the slot and the
paid call. If the call ends without a complete response (also by a crash of this process), the request stays SUBMITTING
or IN_DOUBT, and this code never sends it again. The result is a Decision, which the batch performs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, assert_never

from song_intake.admission.circuit_breaker import CircuitBreaker
from song_intake.admission.pacer import Unpaced
from song_intake.aws.secrets import SecretUnavailable
from song_intake.domain.decision import DeadLetter, Decision, RetryIn, SendAnew
from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import BUDGET_REASONS, Reason
from song_intake.ledger.submitting import SubmissionStore
from song_intake.ledger.table import Existing, LedgerUnavailable, Written
from song_intake.music_api.client import Connection, MusicApi
from song_intake.music_api.token import ApiToken
from song_intake.work.create_call import CreateCall
from song_intake.work.existing_row import decide_by_row
from song_intake.work.giving_up import expired, give_up, give_up_after_error, reject, until_expired
from song_intake.work.secret_fault import fault_of_secret
from song_intake.work.task_record import record_task

if TYPE_CHECKING:
    from song_intake.admission.daily_budget import CreateReservation
    from song_intake.admission.pacer import Pacer, Reservation
    from song_intake.contract.song_request import SongRequest
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import SideEffectFailed
    from song_intake.domain.trace import Trace
    from song_intake.ledger.claim import Claim
    from song_intake.music_api.balance_check import BalanceCheck
    from song_intake.music_api.webhook import WebhookConfig
    from song_intake.work.backoff import Backoff
    from song_intake.work.batch import TimeLeft
    from song_intake.work.budget_gate import BudgetGate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Submission:
    """Submits requests. Safe to share between threads."""

    store: SubmissionStore
    music_api: MusicApi
    api_token: ApiToken
    balance_check: BalanceCheck
    backoff: Backoff
    paid_call: float
    """Seconds that must be left to begin a create: its deadline, and the time to record its outcome."""
    settle_margin: float
    """Seconds that must be left to record the outcome of a create."""
    final_receive: int
    """The last receive on which a create is attempted. A message that is back after that crashed the function."""
    max_receive_count: int
    """The receive after which SQS itself moves the message, without a reason."""
    breaker: CircuitBreaker
    pacer: Pacer = field(default_factory=Unpaced)
    budget: BudgetGate | None = None
    """None if no budget is set."""
    webhook: WebhookConfig | None = None
    """Adds this stack's webhook to a create; None if the webhook is switched off."""
    on_created: Callable[[str, str, str, Trace | None], None] = field(default=lambda *_: None)
    """Called with request_id, message_id, task_id and trace before the ledger: a crash must not lose the task."""

    def decide(self, request: SongRequest, message: Message, time_left: TimeLeft) -> Decision:
        """Submit the request, and decide what happens to its message. Expected failures become decisions."""
        try:
            decision = self._attempt(request, message, time_left)
        except LedgerUnavailable as failure:
            decision = self._fault(
                message, Retryable(Reason.LEDGER_UNAVAILABLE, f"the ledger did not answer ({failure})")
            )
        return self.before_the_receives_run_out(message, decision)

    def before_the_receives_run_out(self, message: Message, decision: Decision) -> Decision:
        """A message that waits does not use up its receives: in the second half of them, a new message takes its place.

        So there are several receives left to try again if the queue refuses the new message. A message that only waited
        for its slot, or for the budget of another day, is sent anew before: it costs no receive, however long it lasts.
        """
        if not isinstance(decision, RetryIn):
            return decision
        in_second_half = 2 * message.receive_count > self.final_receive
        if self.budget and decision.reason in BUDGET_REASONS and not in_second_half:
            return self.budget.wait(message, decision)
        if decision.reason in BUDGET_REASONS or decision.reason is Reason.PACED or in_second_half:
            return SendAnew(decision.seconds or 0, decision.reason, decision.detail)
        return decision

    def on_secret_failure(self, message: Message, failure: SecretUnavailable) -> RetryIn:
        """The decision for a message that needs a secret which cannot be read."""
        # One failed read that all threads of the batch share is one fault.
        return (self._wait if failure.is_repeat else self._fault)(message, fault_of_secret(failure))

    def on_unexpected_error(self, message: Message, failure: BaseException, request: SongRequest | None) -> Decision:
        """The decision after an unexpected exception. The row determines what happens, on the last receive at once."""
        detail = f"the function failed on this message ({type(failure).__name__})"
        if message.receive_count < self.max_receive_count:
            return self._later(message, Reason.UNFORESEEN, detail)
        try:
            decision = give_up_after_error(self.store, request, message, detail)
        except LedgerUnavailable as away:
            decision = self._later(message, Reason.LEDGER_UNAVAILABLE, f"the ledger did not answer ({away}); {detail}")
        return self.before_the_receives_run_out(message, decision)

    def on_side_effect_failure(self, message: Message, failure: SideEffectFailed) -> Decision:
        """The decision for a message of which a follow-up step failed: it stays, and all steps are repeated."""
        later = self._later(message, failure.reason, f"a follow-up step failed ({failure}); all steps will be repeated")
        # A message that could not be sent anew stays. So does one whose dead letter is refused for good, until SQS
        # itself moves it: nothing of it is lost.
        stays = failure.for_good or failure.reason is Reason.REQUEST_QUEUE_UNAVAILABLE
        return later if stays else self.before_the_receives_run_out(message, later)

    def _attempt(self, request: SongRequest, message: Message, time_left: TimeLeft) -> Decision:
        if message.known_task_id is not None:
            return record_task(self.store, request, message.known_task_id, message)
        if late := expired(request):
            return reject(self.store, request, message, DeadLetter(late.reason, late.detail))
        if message.receive_count > self.final_receive:
            return give_up(self.store, request, message, _CRASHED)
        if refusal := self.breaker.refusal():
            return self._wait(message, refusal)
        if self.budget and (refusal := self.budget.refusal(message)):
            return self._over_budget(request, message, refusal)
        try:
            call = CreateCall(self.api_token.current(), self._body(request))
        except SecretUnavailable as failure:
            return self.on_secret_failure(message, failure)
        while True:
            with self.pacer.reserve() as slot:
                if isinstance(slot, Retryable):
                    # To have no slot left is no fault: the breaker knows.
                    return self._fault(message, slot)
                decision = self._at_slot(request, message, time_left, call, slot)
            # Its slot was missed, or dropped after a 429: wait for the next one, without a connection and a claim.
            if not (isinstance(decision, RetryIn) and decision.reason is Reason.PACED):
                return decision

    def _at_slot(
        self, request: SongRequest, message: Message, time_left: TimeLeft, call: CreateCall, slot: Reservation
    ) -> Decision:
        # Near the slot, when the outcomes of those ahead are known.
        with self.breaker.attempt() as attempt:
            if isinstance(attempt, Retryable):
                return self._wait(message, attempt)
            connection = self.music_api.connect()
            if isinstance(connection, Retryable):
                return self._fault(message, connection)
            with connection, self.budget.reserve(message) if self.budget else contextlib.nullcontext() as budgeted:
                if isinstance(budgeted, Retryable):
                    return self._over_budget(request, message, budgeted)
                return self._claim_and_create(request, message, time_left, connection, call, slot, budgeted)

    def _over_budget(self, request: SongRequest, message: Message, refusal: Retryable) -> Decision:
        self.breaker.record(refusal)
        if self.budget and (decision := self.budget.decide_by_row(self.store, request, message)):
            return decision
        return self._wait(message, until_expired(request, refusal))

    def _fault(self, message: Message, fault: Retryable) -> RetryIn:
        self.breaker.record(fault)
        return self._wait(message, fault)

    def _body(self, request: SongRequest) -> bytes:
        return self.webhook.with_webhook(request) if self.webhook else request.create_body

    def _claim_and_create(
        self,
        request: SongRequest,
        message: Message,
        time_left: TimeLeft,
        connection: Connection,
        call: CreateCall,
        slot: Reservation,
        budgeted: CreateReservation | None,
    ) -> Decision:
        if time_left() < self.paid_call:
            return self._later(message, *_NO_TIME)
        claim = self.store.claim(request, message.delivery_id, message.first_message_id, message.trace)
        if isinstance(claim, Existing):
            return decide_by_row(self.store, claim, request, message)
        outcome: Outcome | None = slot.wait()
        # Check again: the claim may have been slow, and there may have been a wait for the slot.
        if outcome is None and (late := expired(request)):
            # The music API was not asked, so the breaker learns nothing.
            return self._settle(claim, late, message)
        if outcome is None:
            has_time = time_left() >= self.paid_call
            create = partial(self._create, claim, call, connection, time_left)
            outcome = Retryable(*_NO_TIME) if not has_time else budgeted.charge(create) if budgeted else create()
        decision = self._settle(claim, outcome, message)
        self.breaker.record(outcome)
        if isinstance(outcome, Retryable) and outcome.reason is Reason.RATE_LIMITED:
            slot.slow_down(outcome.retry_after)
        return decision

    def _create(self, claim: Claim, call: CreateCall, connection: Connection, time_left: TimeLeft) -> Outcome:
        def may_repeat() -> bool:
            return time_left() >= self.paid_call and not expired(claim.request)

        outcome, token = call.send(connection, self.music_api, self.api_token, may_repeat, claim.trace)
        if isinstance(outcome, Refused) and outcome.balance_decides:
            # The claim is held meanwhile, so the time to settle must remain.
            return self.balance_check.decide(outcome, token.value, time_left() - self.settle_margin)
        return outcome

    def _settle(self, claim: Claim, outcome: Outcome, message: Message) -> Decision:
        """Record the outcome, then decide: no decision is valid before its outcome is written."""
        match outcome:
            case Created(task_id):
                self.on_created(claim.request.request_id, message.message_id, task_id, claim.trace)
                return record_task(self.store, claim.request, task_id, message, claim)
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
                return decide_by_row(self.store, result, claim.request, message)
            case _:
                assert_never(outcome)
        if isinstance(result, Written):
            return decision
        return decide_by_row(self.store, result, claim.request, message)

    def _wait(self, message: Message, outcome: Retryable) -> RetryIn:
        return self.backoff.retry(message.receive_count, outcome)

    def _later(self, message: Message, reason: Reason, detail: str) -> RetryIn:
        return RetryIn(self.backoff.after(message.receive_count), reason, detail)


_CRASHED = "the function crashed, or was throttled, on each of the receives before"
_NO_TIME = (Reason.NO_TIME_LEFT, "too little of the invocation was left for a paid call")
