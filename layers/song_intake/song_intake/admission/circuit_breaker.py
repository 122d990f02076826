"""What one process knows of a shared fault: while the fault lasts, no other request is sent only to find it again.

    closed      every request is tried
    open        none is tried, until the hold ends
    half open   one request at a time is tried, until one is created: then closed

    closed    --an account fault, a spent budget, a long Retry-After; any other shared fault three times
                in a row-->                                                                         open
    open      --the hold ends-->                                                                    half open
    half open --the trial finds a shared fault (a 403: only one that opened it)-->                  open again
    half open --a request is created-->                                                             closed

It is the fast half of a pause. The slow half, disabling the event source mapping for all processes, takes a minute on
AWS (admission/switch). The slow half sees when a cause is gone, and this half does not, so it must not outlast it: a
hold is a minute. It doubles only where a trial costs something (a doubt, or a refused request) and requests keep coming
after the hold, which shows that the slow half does not work.

Moments are by the wall clock: the monotonic clock stands still while Lambda freezes the process. A wall clock that was
set back ends a hold.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType

from song_intake.admission.refusal_streak import RefusalStreak
from song_intake.domain.frozen import frozen
from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import ACCOUNT_FAULTS, SHARED, Reason

FIRST_HOLD_SECONDS = 60.0
LONGEST_HOLD_SECONDS = 3_600.0

# While one request is tried, the others come back after so long: more than most creates take.
TRIAL_SECONDS = 5.0

# A trial of which no outcome was recorded for so long is over: no invocation lasts longer than Lambda's 15 minutes.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LONGEST_TRIAL_SECONDS = 900.0

# One fault of these kinds may be this request's bad luck; three in a row, with no sign of life between, are not.
FAULTS_IN_A_ROW = 3

# A trial may leave a doubt, or a request that is refused for good. A trial of any other fault creates nothing.
_COSTLY = frozenset((Reason.VENDOR_FAILING, Reason.ENDPOINT_REFUSED))

# A trial that fails so many seconds after its hold: the intake was closed meanwhile. Our choice: while requests keep
# coming, the next one is tried within seconds, and most creates are answered or given up within half a minute.
CLOSED_SECONDS = 60.0

# Reasons that are no fault: the pace is kept on purpose.
_NO_FAULTS = frozenset((Reason.PACED,))

ReportFault = Callable[[Reason, float | None], bool]
"""Reports a fault to the stack, with the moment (seconds since 1970) until which it lasts, if that is known. False if
the report failed.
"""


@frozen
class _Open:
    """Why and until when (seconds since 1970) no request is tried."""

    fault: Retryable
    since: float
    until: float

    def is_over(self, now: float) -> bool:
        return not self.since <= now < self.until


@frozen
class _Trial:
    attempt: Attempt
    since: float


class CircuitBreaker:
    """One for all threads of the process.

    report: has the intake paused; called when the breaker opens, and again at the next fault if the report failed.
    patience: seconds; a Retry-After beyond it opens the breaker at once. A shorter one is the pace's to keep.
    refusals: sees every outcome too, and opens nothing.
    """

    def __init__(
        self,
        report: ReportFault = lambda _reason, _until: True,
        patience: float = FIRST_HOLD_SECONDS,
        first_hold: float = FIRST_HOLD_SECONDS,
        refusals: RefusalStreak | None = None,
    ) -> None:
        self._report = report
        self._patience = patience
        self._first_hold = first_hold
        self._refusals = refusals or RefusalStreak()
        self._lock = threading.Lock()
        self._open: _Open | None = None
        self._openings = 0
        """In a row, without a create or a closed intake between them."""
        self._trial: _Trial | None = None
        self._is_reported = True
        self._in_a_row: dict[object, int] = {}
        """How often each kind of fault was found since the last sign of life."""

    def refusal(self) -> Retryable | None:
        """Why no request may be tried at all now. It claims no trial."""
        with self._lock:
            return self._refusal(time.time())

    def attempt(self) -> Attempt:
        """`with breaker.attempt() as attempt`: the right to try one request, or the Retryable that says why not."""
        return Attempt(self)

    def record(self, outcome: Outcome) -> None:
        """What became of a request that was tried, or why it could not be tried."""
        self._refusals.record(outcome)
        match outcome:
            case Created():
                with self._lock:
                    self._open, self._openings, self._trial, self._in_a_row = None, 0, None, {}
            case Refused(http_status=403):
                self._count((403, outcome.vendor_code, outcome.detail), _same_refusal(outcome), maybe_its_own=True)
            case Refused():
                self._sign_of_life()
            case Unknown():
                self._count(Reason.VENDOR_FAILING, _failing(outcome))
            case Retryable(is_repeat=True):
                return
            case Retryable(reason=Reason.RATE_LIMITED):
                if (outcome.retry_after or 0) > self._patience:
                    self._open_for(outcome)
            case Retryable(reason) if reason in ACCOUNT_FAULTS or reason is Reason.BUDGET_SPENT:
                self._open_for(outcome)
            case Retryable(reason) if reason in SHARED - _NO_FAULTS:
                self._count(reason, outcome)

    def begin_trial(self, attempt: Attempt) -> Retryable | None:
        """None: this request may be tried. In a half-open breaker, it is the only one until its trial has ended."""
        with self._lock:
            now = time.time()
            if self._open is None:
                return None
            if refusal := self._refusal(now):
                return refusal
            self._trial = _Trial(attempt, now)
            return None

    def end_trial(self, attempt: Attempt) -> None:
        """An attempt that began before the breaker opened does not end the trial of another."""
        with self._lock:
            if self._trial is not None and self._trial.attempt is attempt:
                self._trial = None

    def _refusal(self, now: float) -> Retryable | None:
        if self._open is None:
            return None
        if not self._open.is_over(now):
            return replace(self._open.fault, retry_after=self._open.until - now)
        if self._trial is not None and 0 <= now - self._trial.since < LONGEST_TRIAL_SECONDS:
            return replace(self._open.fault, retry_after=TRIAL_SECONDS)
        return None

    def _sign_of_life(self) -> None:
        """The vendor answered about a request: neither the way to it nor the vendor is at fault."""
        with self._lock:
            self._in_a_row = {}

    def _count(self, kind: object, fault: Retryable, *, maybe_its_own: bool = False) -> None:
        """maybe_its_own: the cause may be this request. Then one trial shows only that an earlier cause lasts."""
        with self._lock:
            self._in_a_row[kind] = count = self._in_a_row.get(kind, 0) + 1
            has_trial_failed = (
                self._open is not None
                and self._open.is_over(time.time())
                and (not maybe_its_own or self._open.fault.reason is fault.reason)
            )
        if count >= FAULTS_IN_A_ROW or has_trial_failed:
            self._open_for(fault)

    def _open_for(self, fault: Retryable) -> None:
        with self._lock:
            now = time.time()
            is_news = self._open is None or self._open.is_over(now)
            if is_news:
                until = now + self._hold(fault, now)
                detail = f"not tried, since another request found: {fault.detail}"
                self._open = _Open(replace(fault, detail=detail), now, until)
                self._trial, self._in_a_row = None, {}
            needs_report = is_news or not self._is_reported
            self._is_reported = True
        if needs_report:
            known_until = None if fault.retry_after is None else time.time() + fault.retry_after
            self._is_reported = self._report(fault.reason, known_until)

    def _hold(self, fault: Retryable, now: float) -> float:
        """Seconds until the next trial, or until the vendor wants to be asked again."""
        if fault.retry_after is None or fault.reason is Reason.BUDGET_SPENT:
            # The slow half sees when the budget has room, which may be before its day ends.
            return self._next_hold(fault, now)
        return fault.retry_after

    def _next_hold(self, fault: Retryable, now: float) -> float:
        """Seconds until the next trial."""
        was_closed = self._open is not None and now - self._open.until >= CLOSED_SECONDS
        self._openings = 1 if was_closed or fault.reason not in _COSTLY else self._openings + 1
        return min(self._first_hold * 2.0 ** min(self._openings - 1, 30), LONGEST_HOLD_SECONDS)


class Attempt:
    """The right to try one request. Leaving the block ends a trial of which no outcome was recorded."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker
        self._is_granted = False

    def __enter__(self) -> Attempt | Retryable:
        refusal = self._breaker.begin_trial(self)
        self._is_granted = refusal is None
        return refusal or self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._is_granted:
            self._breaker.end_trial(self)

    def record(self, outcome: Outcome) -> None:
        self._breaker.record(outcome)


def _same_refusal(refused: Refused) -> Retryable:
    """The same 403 to different requests concerns what they share."""
    detail = f"one request after another is refused in the same way: {refused.detail}"
    return Retryable(Reason.ENDPOINT_REFUSED, detail, refused.http_status, refused.vendor_code)


def _failing(unknown: Unknown) -> Retryable:
    detail = f"the outcome of one create after another is unknown; the last one: {unknown.detail}"
    return Retryable(Reason.VENDOR_FAILING, detail, unknown.http_status, unknown.vendor_code)
