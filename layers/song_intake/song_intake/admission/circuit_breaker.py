"""Remembers an account fault in this process, so that no other request need be sent to find the same fault.

    closed  --a create or the token fails because of the account-->  open
    open    --rest-->  half open: one request is sent as a trial, and the circuit stays open for the others
    half open  --created-->  closed        --the same fault-->  open

The breaker is the fast half of a pause. The slow half, switching the intake off for all processes, takes a minute on
AWS (switch_intake); messages that are delivered until then return to their queue unsent.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from song_intake.domain.outcome import Created, Outcome, Retryable
from song_intake.domain.reason import ACCOUNT_FAULTS, Reason

# Our choice: one trial per minute costs little, and the intake is paused within that minute.
REST_SECONDS = 60.0

# During a trial, the other messages return this soon. Our choice: most creates are answered faster.
TRIAL_SECONDS = 5.0

# After so many rests without a message the fault is forgotten: the intake was switched off in between and is on again,
# and its messages should not wait for a single trial.
RESTS_UNTIL_FORGOTTEN = 4

ReportFault = Callable[[Reason], bool]
"""Reports a fault to the stack; False if the report failed."""


class CircuitBreaker:
    """One breaker for all threads of the process.

    rest: seconds from a fault to the first trial, and from one trial to the next.
    report: has the intake switched off. It is called once for a fault, and again after a trial that finds the fault
    again or after a report that failed.
    """

    def __init__(self, rest: float = REST_SECONDS, report: ReportFault = lambda _: True) -> None:
        self._rest = rest
        self._report = report
        self._lock = threading.Lock()
        self._fault: Retryable | None = None
        self._found_at = self._trial_at = 0.0
        self._is_reported = self._on_trial = False

    def fault(self) -> Retryable | None:
        """Why a request must not be sent now. None: send it, and pass its outcome to `record_outcome`."""
        with self._lock:
            now = time.monotonic()
            if self._fault is None or now >= self._found_at + RESTS_UNTIL_FORGOTTEN * self._rest:
                self._fault = None
            elif now >= self._trial_at:
                # This request is the trial. If its outcome is never recorded, the next trial comes one rest later.
                self._trial_at, self._is_reported, self._on_trial = now + self._rest, False, True
                return None
            elif self._on_trial:
                return replace(self._fault, retry_after=min(TRIAL_SECONDS, self._rest))
            return self._fault

    def record_outcome(self, outcome: Outcome) -> None:
        """Record the outcome of a request that was sent. Only Created and account faults depend on the account."""
        match outcome:
            case Created():
                with self._lock:
                    self._fault, self._on_trial = None, False
            case Retryable(reason) if reason in ACCOUNT_FAULTS:
                if self._opened(outcome):
                    self._is_reported = self._report(reason)

    def _opened(self, fault: Retryable) -> bool:
        """Open the circuit. Returns whether this thread reports the fault; other threads may have found the same."""
        with self._lock:
            now = time.monotonic()
            must_report = self._fault is None or not self._is_reported or now >= self._trial_at
            self._fault = replace(fault, detail=f"not sent, because another request found: {fault.detail}")
            self._found_at, self._trial_at = now, now + self._rest
            self._is_reported, self._on_trial = True, False
            return must_report
