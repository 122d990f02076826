"""How long a message waits before it is retried."""

import random
from dataclasses import dataclass

from song_intake.domain.decision import RetryIn
from song_intake.domain.outcome import Retryable
from song_intake.domain.reason import ACCOUNT_FAULTS, Reason

# A message may stay invisible for 12 hours from its receive; one hour of these is left for the invocation.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
LONGEST_WAIT_SECONDS = 11 * 3600


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Backoff:
    """Exponential, capped, with full jitter, so that messages that failed together do not return together.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    base: float
    """Seconds: the longest wait after the first receive."""
    cap: float
    """Seconds: the longest wait, unless the music API asked for a longer one."""

    def after(self, receive_count: int, asked: float | None = None) -> float:
        """Seconds to wait after so many receives, and at least the seconds that the music API asked for."""
        doublings = min(receive_count - 1, 30)  # 2**30 is past any cap, and a float cannot hold 2**2000
        wait = random.uniform(0, min(self.cap, self.base * 2**doublings))  # nosec B311 # noqa: S311 - spreads load
        return min(max(wait, asked or 0), LONGEST_WAIT_SECONDS)

    def until(self, asked: float | None) -> float:
        """Seconds to wait for a known moment, `asked` seconds away. The receive count does not matter."""
        return min(max(asked or 0, 0), self.cap, LONGEST_WAIT_SECONDS)

    def retry(self, receive_count: int, outcome: Retryable) -> RetryIn:
        """How long a message with this outcome waits after so many receives."""
        match outcome:
            case Retryable(reason=reason, retry_after=None) if reason in ACCOUNT_FAULTS:
                wait = self.account_fault()
            case Retryable(reason=Reason.BUDGET_SPENT):
                # The intake pauses within a minute, and resumes before the day ends if the budget has room.
                wait = self.account_fault()
            case Retryable(reason=Reason.SENDER_BUDGET_SPENT):
                wait = self.next_day(outcome.retry_after)
            case Retryable(reason=Reason.PACED):
                wait = self.until(outcome.retry_after)
            case _:
                wait = self.after(receive_count, outcome.retry_after)
        return RetryIn(wait, outcome.reason, outcome.detail)

    def next_day(self, asked: float | None) -> float:
        """Seconds to wait for a moment that may be further away than SQS hides a message. Those that return before it
        return over some hours, because a large backlog would get in the way of others.
        """
        seconds = asked or 0
        if seconds <= LONGEST_WAIT_SECONDS:
            return seconds
        return random.uniform(0.75, 1) * LONGEST_WAIT_SECONDS  # nosec B311 # noqa: S311 - spreads load

    def account_fault(self) -> float:
        """Seconds to wait if no message can succeed: near the cap, because an earlier retry only uses up receives."""
        return min(random.uniform(self.cap / 2, self.cap), LONGEST_WAIT_SECONDS)  # nosec B311 # noqa: S311 - likewise
