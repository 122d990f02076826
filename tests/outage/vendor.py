"""The vendor during an outage: each case replaces what is out of order. Times are in seconds from the start."""

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Self

from song_intake.domain.outcome import Outcome, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.domain.trace import Trace
from song_intake.music_api.answer import Answer
from song_intake.music_api.client import Connection, MusicApi
from song_intake.music_api.create import outcome_of
from song_intake.music_api.credits import Balance, balance_of
from tests.performance.paced_surroundings import Seconds
from tests.performance.paced_surroundings import Vendor as RateLimit

CONNECT_TIMEOUT = 5.0
CREATE_DEADLINE = 30.0
LATENCY: Seconds = (1.0, 2.0)
TO_THE_VENDOR: Seconds = (0.01, 0.04)
PLENTY = 10**9


class Vendor:
    """What is created, and what each create is answered. now: seconds from the start."""

    def __init__(self, now: Callable[[], float], sleep: Callable[[float], None], interval: float, seed: int) -> None:
        self.now, self._sleep = now, sleep
        self._limit = RateLimit(interval) if interval else None
        self._random = random.Random(seed)  # noqa: S311 - spreads times, guards nothing
        self.tried: Counter[str] = Counter()
        self.made: Counter[str] = Counter()
        self.created_at: list[float] = []
        self.made_at: dict[str, float] = {}
        """By request."""
        self.under_way = 0
        self.too_fast = 0
        """Creates beyond the rate that the stack is set to."""
        self.connect_seconds: Seconds = (0.05, 0.2)
        self.is_reached: Callable[[], bool] = lambda: True
        self.answers_creates: Callable[[], bool] = lambda: True
        self.refusal: Callable[[], Answer | None] = lambda: None
        """The answer to a create that makes no song."""
        self.balance: Callable[[], Answer] = lambda: balance(PLENTY)

    def pause(self, bounds: Seconds) -> None:
        self._sleep(self._random.uniform(*bounds))

    def connects(self) -> bool:
        if not self.is_reached():
            self._sleep(CONNECT_TIMEOUT)
            return False
        self.pause(self.connect_seconds)
        return True

    def create(self, request_id: str) -> Answer | None:
        """None: no answer before the deadline."""
        self.under_way += 1
        try:
            return self._create(request_id)
        finally:
            self.under_way -= 1

    def _create(self, request_id: str) -> Answer | None:
        self.pause(TO_THE_VENDOR)
        self.tried[request_id] += 1
        if not self.answers_creates():
            self._sleep(CREATE_DEADLINE)
            return None
        if (refusal := self.refusal()) is not None:
            self.pause(TO_THE_VENDOR)
            return refusal
        if self._limit is not None and not self._limit.accepts(self.now()):
            self.too_fast += 1
            return Answer(429, b"{}")
        self.made[request_id] += 1
        self.created_at.append(self.now())
        self.made_at[request_id] = self.now()
        self.pause(LATENCY)
        return Answer(200, json.dumps({"task_id": f"task-of-{request_id}"}).encode())


def balance(credits_: int) -> Answer:
    return Answer(200, json.dumps({"credits": credits_, "extra_credits": 0}).encode())


class VendorApi(MusicApi):
    """The client, connected to the simulated vendor instead of a host."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor

    def within(self, _seconds: float) -> Self:
        return self

    def connect(self) -> Connection | Retryable:
        if self._vendor.connects():
            return VendorConnection(self._vendor)
        return Retryable(Reason.CANNOT_CONNECT, "no connection to the music API (TimeoutError)")

    def credits(self, token: str) -> Balance | NoAnswer:
        return balance_of(self._vendor.balance()) if self._vendor.connects() else NoAnswer(Reason.CANNOT_CONNECT)


class VendorConnection(Connection):
    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor

    def __exit__(self, *_: object) -> None:
        return

    def create(self, body: bytes, token: str, trace: Trace | None = None) -> Outcome:
        answer = self._vendor.create(json.loads(body)["title"])
        return Unknown("no answer before the deadline (TimeoutError)") if answer is None else outcome_of(answer)
