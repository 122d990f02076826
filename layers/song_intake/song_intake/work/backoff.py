"""How long a message waits before it is retried."""

import random
from dataclasses import dataclass

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

    def account_fault(self) -> float:
        """Seconds to wait if no message can succeed: near the cap, because an earlier retry only uses up receives."""
        return min(random.uniform(self.cap / 2, self.cap), LONGEST_WAIT_SECONDS)  # nosec B311 # noqa: S311 - likewise
