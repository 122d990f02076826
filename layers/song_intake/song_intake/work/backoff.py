"""How long a message waits before it is tried again."""

import random
from dataclasses import dataclass

# A message may stay invisible for 12 hours, counted from its receive; an hour of it is left for the invocation.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
LONGEST_WAIT_SECONDS = 11 * 3600


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, capped, with full jitter: a crowd that failed together does not come back together.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    base: float
    """Seconds: the most that a message waits after its first failure."""
    cap: float
    """Seconds: the most that it ever waits by our own choice."""

    def after(self, receive_count: int, asked: float | None = None) -> float:
        """Seconds to wait after so many receives; never less than the music API asked for."""
        doublings = min(receive_count - 1, 30)  # 2**30 is past any cap, and a float cannot hold 2**2000
        wait = random.uniform(0, min(self.cap, self.base * 2**doublings))  # noqa: S311 - spreads load, guards nothing
        return min(max(wait, asked or 0), LONGEST_WAIT_SECONDS)

    def until(self, asked: float | None) -> float:
        """Seconds to wait for a moment that is known, however often the message was received before."""
        return min(max(asked or 0, 0), self.cap, LONGEST_WAIT_SECONDS)

    def account_fault(self) -> float:
        """Seconds to wait when no message can pass: near the cap, since trying sooner only spends receives."""
        return min(random.uniform(self.cap / 2, self.cap), LONGEST_WAIT_SECONDS)  # noqa: S311
