"""The services around the paced workers: a vendor with a rate limit, a connection to it, a table, and a token."""

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from song_intake.domain.outcome import Outcome
from song_intake.domain.trace import Trace
from song_intake.music_api.answer import Answer
from song_intake.music_api.client import Connection, MusicApi
from song_intake.music_api.create import outcome_of
from tests.properties.simulation.dynamodb import Exceptions, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Seconds = tuple[float, float]
"""The least and the most."""
Pause = Callable[[Seconds], None]

CONNECT: Final[Seconds] = (0.05, 0.2)
TO_THE_VENDOR: Final[Seconds] = (0.01, 0.04)
HALF_A_WRITE: Final[Seconds] = (0.002, 0.01)


@dataclass(frozen=True, slots=True)
class Closure:
    """A time in which the vendor answers every create with a 429. Times are in seconds, `at` from the start."""

    at: float
    seconds: float
    names_the_time: bool = True
    """Whether each 429 has a Retry-After: the seconds until the vendor accepts creates again."""

    def contains(self, now: float) -> bool:
        return self.at <= now < self.at + self.seconds

    def retry_after(self, now: float) -> int | None:
        return math.ceil(self.at + self.seconds - now) if self.names_the_time else None


class Vendor:
    """A rate limit by GCRA: one create per interval, each at most one interval early."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next_at = 0.0

    def accepts(self, now: float, slower: int = 1) -> bool:
        """Whether it accepts a create. slower: the factor of its interval."""
        interval = self._interval * slower
        if now < self._next_at - interval:
            return False
        self._next_at = max(self._next_at, now) + interval
        return True


Arrived = Callable[[], Answer | None]
"""Called when a create arrives at the vendor. Returns the 429, or None if the vendor accepts the create."""


class PacedMusicApi(MusicApi):
    """connecting: how long the next connect takes."""

    def __init__(self, pause: Pause, arrived: Arrived, latency: Seconds, connecting: Callable[[], Seconds]) -> None:
        self._pause, self._arrived, self._latency, self._connecting = pause, arrived, latency, connecting

    def connect(self) -> Connection:
        self._pause(self._connecting())
        return _PacedConnection(self._pause, self._arrived, self._latency)


class _PacedConnection(Connection):
    def __init__(self, pause: Pause, arrived: Arrived, latency: Seconds) -> None:
        self._pause, self._arrived, self._latency = pause, arrived, latency

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def create(self, body: bytes, token: str, trace: Trace | None = None) -> Outcome:
        self._pause(TO_THE_VENDOR)
        if (refusal := self._arrived()) is not None:
            self._pause(TO_THE_VENDOR)
            return outcome_of(refusal)
        self._pause(self._latency)
        return outcome_of(Answer(200, json.dumps({"task_id": "task"}).encode()))


class Database:
    """A client of one table whose calls take time. `writes` counts the writes by key."""

    exceptions = Exceptions

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._table = Table()
        self.writes: Counter[str] = Counter()

    @property
    def client(self) -> "DynamoDBClient":
        return cast("DynamoDBClient", self)

    def update_item(self, **write: object) -> dict[str, object]:
        self._pause(HALF_A_WRITE)
        self.writes[str(cast("dict[str, dict[str, str]]", write["Key"])["request_id"]["S"])] += 1
        try:
            return {"Attributes": self._table.update(write)}
        finally:
            self._pause(HALF_A_WRITE)

    def batch_execute_statement(self, **write: object) -> dict[str, object]:
        self._pause(HALF_A_WRITE)
        try:
            return {"Responses": self._table.execute(write)}
        finally:
            self._pause(HALF_A_WRITE)


class KnownSecrets:
    """The Secrets Manager client, with a token that never changes."""

    def get_secret_value(self, **_: object) -> dict[str, str]:
        return {"SecretString": "token"}

    class exceptions:  # noqa: N801 - boto3's name
        class ResourceNotFoundException(Exception):
            pass


class AcceptingBus:
    """The EventBridge client. Nobody acts on its events: each process waits by itself."""

    def put_events(self, **request: object) -> dict[str, object]:
        entries = cast("list[object]", request["Entries"])
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "event"}] * len(entries)}
