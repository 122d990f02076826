"""The simulated services of an outage: a music API whose account may have no credits, and one item of a table."""

import json
import threading
from dataclasses import dataclass, field
from typing import Self

from song_intake.domain.outcome import Outcome
from song_intake.domain.task import NoAnswer
from song_intake.music_api.answer import Answer
from song_intake.music_api.client import Connection, MusicApi
from song_intake.music_api.create import outcome_of
from song_intake.music_api.credits import CREDITS_A_SONG, Balance, balance_of
from tests.properties.simulation.dynamodb import ConditionalCheckFailedException, Exceptions
from tests.properties.simulation.expressions import Item, Placeholders, holds
from tests.properties.simulation.faults import Step

# Long enough for all threads of a batch to start: the first rejection must not arrive before that.
SECONDS_TO_REFUSE = 0.01


class Faultless:
    """The steps of the simulated services, without faults."""

    def before(self, _step: Step) -> None:
        return


class Uncounted:
    def add_metric(self, *_: object) -> None:
        return

    def flush_metrics(self) -> None:
        return


@dataclass(slots=True)
class OutageVendor:
    credits: int = 0
    has_subscription: bool = True
    """Without a subscription, creates are rejected whatever the balance is."""
    tried: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)


class OutageApi(MusicApi):
    def __init__(self, vendor: OutageVendor) -> None:
        self._vendor = vendor

    def connect(self) -> Connection:
        return OutageConnection(self._vendor)

    def within(self, _seconds: float) -> Self:
        return self

    def credits(self, token: str) -> Balance | NoAnswer:
        return balance_of(Answer(200, json.dumps({"credits": self._vendor.credits, "extra_credits": 0}).encode()))


class OutageConnection(Connection):
    def __init__(self, vendor: OutageVendor) -> None:
        self._vendor = vendor

    def __exit__(self, *_: object) -> None:
        return

    def create(self, body: bytes, token: str) -> Outcome:
        title = str(json.loads(body)["title"])
        self._vendor.tried.append(title)
        if self._vendor.credits < CREDITS_A_SONG or not self._vendor.has_subscription:
            threading.Event().wait(SECONDS_TO_REFUSE)
            return outcome_of(Answer(402, b'{"type": "insufficient_credits", "error": "simulated"}'))
        self._vendor.credits -= CREDITS_A_SONG
        self._vendor.made.append(title)
        return outcome_of(Answer(200, json.dumps({"task_id": f"task-of-{title}"}).encode()))


class OneItem:
    """The DynamoDB client of the intake state."""

    exceptions = Exceptions

    def __init__(self) -> None:
        self._item: Item | None = None

    def get_item(self, **_: object) -> dict[str, object]:
        return {"Item": self._item} if self._item else {}

    def put_item(self, *, Item: Item, ConditionExpression: str, ExpressionAttributeValues: Item, **_: object) -> None:  # noqa: N803
        if not holds(ConditionExpression, Placeholders({}, ExpressionAttributeValues), self._item or {}):
            raise ConditionalCheckFailedException(self._item)
        self._item = Item
