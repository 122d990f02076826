"""The one clock that all workers share: Lambda's.

The wall clocks of two workers may disagree by seconds. But each invocation brings a moment that the Lambda service set,
its deadline, and the runtime client tells the time left until then as `deadline - wall clock`. Adding the wall clock
takes its error out again; from there on the monotonic clock counts, which nobody sets.

What is left of an error is the time from the moment at which Lambda began to count to the function's first line:
milliseconds, the start of a new environment not included.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next (Lambda-Runtime-Deadline-Ms)
"""

import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class LambdaClock:
    """Seconds since 1970 by the Lambda service, for one invocation."""

    began: float
    began_monotonic: float

    @classmethod
    def at_start(cls, time_left: float, function_timeout: float) -> Self:
        """To be called once, as the first thing of an invocation: from then on the deadline is no news."""
        return cls(time.time() + time_left - function_timeout, time.monotonic())

    def now(self) -> float:
        return self.began + time.monotonic() - self.began_monotonic
