"""The one place that orders what happens to a request:

    parse -> token -> slot near -> connect -> claim -> slot -> create -> settle

Everything before the claim may fail and be tried again freely. Between claim and settle stand the wait for the slot,
which all workers share out among themselves, and one foreign call. Whatever ends that call without a whole answer, the
death of this process included, leaves the request SUBMITTING or IN_DOUBT, from which nothing here ever sends again. The
result is a Decision; the batch carries it out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from song_intake.api_token import ApiToken, Token, TokenUnavailable
from song_intake.circuit_breaker import CircuitBreaker
from song_intake.decision import DeadLetter, Decision, Done, RetryIn
from song_intake.ledger import Claim, Ledger
from song_intake.ledger_row import Status
from song_intake.ledger_table import LedgerUnavailable
from song_intake.music_api import Line, MusicApi
from song_intake.outcome import Created, NotSent, Outcome, Refused, Unknown
from song_intake.pacer import Unpaced
from song_intake.reason import ACCOUNT_FAULTS, Reason
from song_intake.standing import decision_for, in_doubt
from song_intake.webhook_keys import KeyUnavailable

if TYPE_CHECKING:
    from song_intake.backoff import Backoff
    from song_intake.ledger_row import Row
    from song_intake.message import Message
    from song_intake.our_webhook import OurWebhook
    from song_intake.pacer import Pacer, Place
    from song_intake.song_request import SongRequest
    from song_intake.undone import Undone

TimeLeft = Callable[[], float]
"""Seconds until the function is stopped."""


@dataclass(frozen=True, slots=True)
class _Call:
    """What is sent, and with which token."""

    token: Token
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Submits requests. Safe to share between threads."""

    ledger: Ledger
    music_api: MusicApi
    api_token: ApiToken
    backoff: Backoff
    paid_call: float
    """Seconds that must be left to begin a create: its deadline and its settling."""
    last_try: int
    """The receive on which a message is given up rather than left on its queue."""
    max_receive_count: int
    """The receive after which SQS moves the message itself, without a reason."""
    breaker: CircuitBreaker
    """What is known of an account fault."""
    pacer: Pacer = field(default_factory=Unpaced)
    webhook: OurWebhook | None = None
    """Where the music API tells of a song by itself; None where it is switched off."""

    def decide(self, request: SongRequest, message: Message, time_left: TimeLeft) -> Decision:
        """Bring one request as far as it gets in this invocation, and say what becomes of its message."""
        try:
            decision = self._attempt(request, message, time_left)
        except LedgerUnavailable as failure:
            decision = self._later(message, Reason.LEDGER_UNAVAILABLE, f"the ledger did not answer ({failure})")
        if isinstance(decision, RetryIn) and message.receive_count >= self.last_try:
            return self._last_word(request, message, decision)
        return decision

    def surprised(self, message: Message, failure: BaseException) -> Decision:
        """What becomes of a message whose handling raised. Its row decides when it is back, so none is paid twice."""
        detail = f"the function failed on this message ({type(failure).__name__})"
        if message.receive_count >= self.max_receive_count:
            return DeadLetter(Reason.RETRIES_EXHAUSTED, f"given up after {message.receive_count} receives: {detail}")
        return self._later(message, Reason.UNFORESEEN, detail)

    def undone(self, message: Message, failure: Undone) -> Decision:
        """What becomes of a message whose decision could not be carried out: it stays, and all of it is done again."""
        return self._later(message, failure.reason, f"the decision could not be carried out ({failure})")

    def _attempt(self, request: SongRequest, message: Message, time_left: TimeLeft) -> Decision:
        if message.known_task_id is not None:
            return self._record(request, message.known_task_id, message)
        if message.receive_count > self.last_try:
            return self._later(message, Reason.UNFORESEEN, "no try is begun on the receives that are held back")
        try:
            call = _Call(self.api_token.current(), self._body(request))
        except TokenUnavailable as failure:
            return self._without_a_token(message, failure)
        except KeyUnavailable as failure:
            return self._later(message, Reason.WEBHOOK_KEY_UNAVAILABLE, str(failure))
        with self.pacer.place() as place:
            if isinstance(place, NotSent):
                return self._wait(message, place)
            # Asked near the slot, when those before it have been heard of. The last try is a try: no message is given
            # up for what happened to others alone.
            if message.receive_count < self.last_try and (fault := self.breaker.fault()):
                return self._wait(message, fault)
            line = self.music_api.connect()
            if isinstance(line, NotSent):
                return self._later(message, line.reason, line.detail)
            with line:
                return self._claim_and_create(request, message, time_left, line, call, place)

    def _body(self, request: SongRequest) -> bytes:
        return self.webhook.addressed(request) if self.webhook else request.create_body

    def _claim_and_create(
        self, request: SongRequest, message: Message, time_left: TimeLeft, line: Line, call: _Call, place: Place
    ) -> Decision:
        if time_left() < self.paid_call:
            return self._later(message, *_NO_TIME)
        claim = self.ledger.claim(request, message.message_id)
        if not isinstance(claim, Claim):
            return self._standing(claim, request, message)
        outcome: Outcome | None = place.its_turn()
        if outcome is None:
            # Asked again: the claim itself may have been slow, and the slot is waited for.
            outcome = self._create(call, line, time_left) if time_left() >= self.paid_call else NotSent(*_NO_TIME)
        decision = self._settle(claim, outcome, message)
        self.breaker.heard(outcome)
        if isinstance(outcome, NotSent) and outcome.reason is Reason.RATE_LIMITED:
            place.refused(outcome.retry_after)
        return decision

    def _create(self, call: _Call, line: Line, time_left: TimeLeft) -> Outcome:
        """One create; and one more under the same claim if the token alone was refused, for that one made nothing."""
        outcome = line.create(call.body, call.token.value)
        if not (isinstance(outcome, NotSent) and outcome.reason is Reason.TOKEN_REFUSED):
            return outcome
        fresh = self.api_token.refresh(call.token)
        if fresh.generation == call.token.generation or time_left() < self.paid_call:
            return outcome
        again = self.music_api.connect()
        if isinstance(again, NotSent):
            return again
        with again:
            return again.create(call.body, fresh.value) if time_left() >= self.paid_call else outcome

    def _settle(self, claim: Claim, outcome: Outcome, message: Message) -> Decision:
        """Write what the create did, then decide. The write comes first: a decision that is not written is not one."""
        match outcome:
            case Created(task_id):
                return self._record(claim.request, task_id, message, claim)
            case Refused():
                standing = self.ledger.rejected(claim, outcome)
                decision: Decision = DeadLetter(
                    outcome.reason, outcome.detail, outcome.http_status, outcome.vendor_code
                )
            case NotSent():
                standing = self.ledger.retrying(claim, outcome)
                decision = self._wait(message, outcome)
            case Unknown():
                window = self._window(claim.request)
                standing = self.ledger.in_doubt(claim, outcome, window)
                letter = DeadLetter(outcome.reason, outcome.detail, outcome.http_status, outcome.vendor_code)
                decision = in_doubt(letter, window)
            case _:
                assert_never(outcome)
        return decision if standing is None else self._standing(standing, claim.request, message)

    def _record(self, request: SongRequest, task_id: str, message: Message, claim: Claim | None = None) -> Decision:
        """Save a known task_id; if the ledger cannot, the dead letter carries it, and its redrive comes back here."""
        try:
            standing = self.ledger.submitted(request, task_id, claim)
            if standing is None or (standing.task_id, standing.fingerprint) == (task_id, request.fingerprint):
                return Done(task_id)
            self.ledger.another_task(request.request_id, task_id)
        except Exception as failure:  # noqa: BLE001 - a known task_id must not be lost to any surprise
            what = str(failure) if isinstance(failure, LedgerUnavailable) else type(failure).__name__
            detail = f"the song was created, but its task_id could not be recorded ({what}); a redrive records it"
            return DeadLetter(Reason.TASK_NOT_RECORDED, detail, task_id=task_id)
        return self._standing(standing, request, message)

    def _standing(self, row: Row, request: SongRequest, message: Message) -> Decision:
        return decision_for(row, request, message, self.ledger, self._window(request))

    def _window(self, request: SongRequest) -> float:
        """Seconds for which our webhook may settle a doubt about this request; none where its caller has its own."""
        return self.webhook.window if self.webhook and self.webhook.covers(request) else 0

    def _without_a_token(self, message: Message, failure: TokenUnavailable) -> RetryIn:
        fault = NotSent(Reason.TOKEN_UNAVAILABLE, str(failure))
        self.breaker.heard(fault)
        return self._wait(message, fault)

    def _wait(self, message: Message, outcome: NotSent) -> RetryIn:
        if outcome.reason in ACCOUNT_FAULTS and outcome.retry_after is None:
            return RetryIn(self.backoff.account_fault(), outcome.reason, outcome.detail)
        if outcome.reason is Reason.PACED:
            return RetryIn(self.backoff.until(outcome.retry_after), outcome.reason, outcome.detail)
        wait = self.backoff.after(message.receive_count, outcome.retry_after)
        return RetryIn(wait, outcome.reason, outcome.detail)

    def _later(self, message: Message, reason: Reason, detail: str) -> RetryIn:
        return RetryIn(self.backoff.after(message.receive_count), reason, detail)

    def _last_word(self, request: SongRequest, message: Message, decision: RetryIn) -> Decision:
        """Nothing was created and the tries are used up: REJECTED, and a dead letter that says why.

        While receives are held back, the two that do not concern this message wait on: another delivery's live claim,
        and a ledger that does not answer. On the very last receive, the dead letter is written without the row.
        """
        detail = (
            f"given up after {message.receive_count} receives; the last reason: {decision.reason}: {decision.detail}"
        )
        letter = DeadLetter(Reason.RETRIES_EXHAUSTED, detail)
        try:
            standing = self.ledger.given_up(request, message.message_id, letter.reason, letter.detail)
            # Where another message of this request was given up meanwhile, this one has nothing to wait for either.
            verdict: Decision = letter
            if standing is not None and not (
                standing.status is Status.REJECTED and standing.message_id != message.message_id
            ):
                verdict = self._standing(standing, request, message)
        except LedgerUnavailable:
            verdict = decision
        return letter if isinstance(verdict, RetryIn) and message.receive_count >= self.max_receive_count else verdict


_NO_TIME = (Reason.NO_TIME_LEFT, "too little of the invocation was left for a paid call")
