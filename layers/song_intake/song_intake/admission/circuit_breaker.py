"""What this process knows of an account fault: while it lasts, no other request needs to be tried to learn of it again.

    closed  --a create or a token fails by the account's fault-->  open
    open    --rest-->  half open: one request is tried, and the circuit stays open for the others
    half open  --created-->  closed        --the same fault-->  open

It is the fast half of a pause. The slow half, switching the intake off for all processes, takes a minute on AWS
(switch_intake); what is delivered until then is sent back untried.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from song_intake.domain.outcome import Created, Outcome, Retryable
from song_intake.domain.reason import ACCOUNT_FAULTS, Reason

REST_SECONDS = 60.0

# While one is tried, the others come back this soon: longer than most creates take to be answered.
TRIAL_SECONDS = 5.0

# After so many rests without news the fault is forgotten: no message came for so long, so the intake was switched off,
# and now it is on again. Its messages are not to wait for a single trial.
RESTS_UNTIL_FORGOTTEN = 4

ReportFault = Callable[[Reason], bool]
"""Reports a fault to the stack; False if the report failed."""


class CircuitBreaker:
    """One for all threads of the process.

    rest: seconds from a fault, or from a trial of which nothing is heard, to the next trial.
    report: has the intake switched off; called for a fault once, and again after each trial or where it was not taken.
    """

    def __init__(self, rest: float = REST_SECONDS, report: ReportFault = lambda _: True) -> None:
        self._rest = rest
        self._report = report
        self._lock = threading.Lock()
        self._fault: Retryable | None = None
        self._heard_at = self._trial_at = 0.0
        self._is_told = self._on_trial = False

    def fault(self) -> Retryable | None:
        """Why a request is not to be tried now; None: try it, and let `heard` know."""
        with self._lock:
            now = time.monotonic()
            if self._fault is None or now >= self._heard_at + RESTS_UNTIL_FORGOTTEN * self._rest:
                self._fault = None
            elif now >= self._trial_at:
                # This one tries. Should it never be heard of, the next trial comes a rest later.
                self._trial_at, self._is_told, self._on_trial = now + self._rest, False, True
                return None
            elif self._on_trial:
                return replace(self._fault, retry_after=min(TRIAL_SECONDS, self._rest))
            return self._fault

    def record_outcome(self, outcome: Outcome) -> None:
        """What became of a request that was tried. Other outcomes than these two say nothing of the account."""
        match outcome:
            case Created():
                with self._lock:
                    self._fault, self._on_trial = None, False
            case Retryable(reason) if reason in ACCOUNT_FAULTS:
                if self._opened(outcome):
                    self._is_told = self._report(reason)

    def _opened(self, fault: Retryable) -> bool:
        """Whether it is to be reported: by this thread, not by the others that found the same."""
        with self._lock:
            now = time.monotonic()
            is_news = self._fault is None or not self._is_told or now >= self._trial_at
            self._fault = replace(fault, detail=f"not tried, since another request found: {fault.detail}")
            self._heard_at, self._trial_at, self._is_told, self._on_trial = now, now + self._rest, True, False
            return is_news
