"""Eight workers that share a budget, in random schedules: faults and deaths at each call, and writes that land late."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, cast

from song_intake.admission.budget_item import BUDGET_KEY, BudgetItem, BudgetLimits, Usage, usage_in
from song_intake.admission.daily_budget import DailyBudget
from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.ledger.table import LedgerUnavailable
from song_intake.outgoing.budget_report import BudgetReport
from tests.performance.virtual_time import Crash, Process, VirtualTime
from tests.properties.simulation.dynamodb import (
    ConditionalCheckFailedException,
    Exceptions,
    Table,
    Write,
    no_answer,
    unavailable,
)
from tests.properties.simulation.silence import SILENT

WORKERS: Final = 8
REQUESTS_OF_A_WORKER: Final = 12
SENDERS: Final = ("shop", "shop", "radio")
LIMITS: Final = BudgetLimits(stack=14, sender=9)
BEFORE_MIDNIGHT: Final = 1_700_006_398.0
"""Two seconds before a UTC day ends."""
CALL_SECONDS: Final = 0.02
CREATE_SECONDS: Final = 0.5

FAULTS: Final = ("death", "death after it", "refused", "lost", "sent again", "late")
"""A death before or after the call takes effect; a call without effect; one whose response is lost, which the SDK then
sends again or gives up; one that takes effect after it was given up."""

NOT_CREATED: Final = (Retryable(Reason.RATE_LIMITED, "429"), Refused(Reason.REFUSED, "400"))
UNKNOWN: Final = Unknown("the call broke off")


class BudgetWorld:
    """One run of all workers. faulty: how often a call has a fault of one of these kinds, from 0 to 1."""

    def __init__(self, seed: int, faulty: float, kinds: Sequence[str] = FAULTS) -> None:
        self.random = random.Random(seed)  # noqa: S311 - chooses a schedule, guards nothing
        self.time = VirtualTime(BEFORE_MIDNIGHT)
        self.table = Table()
        self.faulty = faulty
        self.kinds = kinds
        self.faults = 0
        self.made: Counter[str] = Counter()
        """Songs by the day for which they were reserved, and by the day and the sender."""

    def run(self) -> None:
        with self.time.clock():
            for _ in range(WORKERS):
                self.start_worker(REQUESTS_OF_A_WORKER)
            self.time.run()

    def start_worker(self, requests: int) -> None:
        process = Process()
        self.time.start(process, _Worker(self, process, requests).run)

    def usage(self) -> dict[str, Usage]:
        """What the table counts, by day."""
        items = cast("Any", self.table.items)
        return {key.removeprefix(BUDGET_KEY): usage_in(item) for key, item in items.items()}

    def happens(self) -> bool:
        return self.random.random() < self.faulty

    def pause(self, at_most: float = CALL_SECONDS) -> None:
        self.time.sleep(self.random.uniform(0, at_most))

    def create(self, sender: str) -> Outcome:
        self.pause(CREATE_SECONDS)
        outcome = self.random.choice((Created("task"), UNKNOWN, *NOT_CREATED))
        if not isinstance(outcome, Retryable | Refused):
            self.made[sender] += 1
        self.pause()
        return outcome


class _Worker:
    exceptions = Exceptions

    """A process, which handles so many requests. If it dies, another one handles the rest."""

    def __init__(self, world: BudgetWorld, process: Process, requests: int) -> None:
        self._world, self._process, self._left = world, process, requests
        item = BudgetItem(cast("Any", self), "ledger", LIMITS)
        self._budget = DailyBudget(item, BudgetReport(SILENT, LIMITS.stack, LIMITS.sender))

    def run(self) -> None:
        while self._left > 0:
            self._left -= 1
            sender = self._world.random.choice(SENDERS)
            with suppress(LedgerUnavailable):
                self._request(sender)
            self._world.pause()

    def _request(self, sender: str) -> None:
        if self._budget.refusal(sender):
            return
        with self._budget.reserve(sender) as create:
            if isinstance(create, Retryable):
                return
            self._world.pause()
            is_duplicate = self._world.random.random() < 0.2
            if not is_duplicate:
                reserved = create._reserved
                assert reserved is not None
                create.charge(lambda: self._world.create(f"{reserved.day} {reserved.name}"))

    def update_item(self, **write: object) -> dict[str, object]:
        """One call of the SDK, with up to two attempts."""
        world = self._world
        world.pause()
        if not world.happens():
            return self._answered(write)
        world.faults += 1
        match world.random.choice(world.kinds):
            case "death":
                self._die()
            case "death after it":
                self._apply(write)
                self._die()
            case "refused":
                raise unavailable("UpdateItem")
            case "lost":
                self._apply(write)
                raise no_answer()
            case "sent again":
                self._apply(write)
                world.pause()
                return self._answered(write, retries=1)
            case _:
                # The first attempt lands after the second one has failed.
                world.time.start(Process(), partial(self._land, write))
                raise no_answer()
        raise AssertionError

    def _answered(self, write: Write, retries: int = 0) -> dict[str, object]:
        try:
            changed = self._world.table.update(write)
        except ConditionalCheckFailedException as failed:
            raise ConditionalCheckFailedException(failed.item, retries) from None
        self._world.pause()
        return {"Attributes": changed}

    def _land(self, write: Write) -> None:
        self._world.pause()
        self._apply(write)

    def _apply(self, write: Write) -> None:
        with suppress(ConditionalCheckFailedException):
            self._world.table.update(write)

    def _die(self) -> None:
        self._process.has_crashed = True
        self._world.start_worker(self._left)
        raise Crash


def excess(world: BudgetWorld) -> Iterable[str]:
    """What was created beyond a limit."""
    by_day: Counter[str] = Counter()
    for name, made in world.made.items():
        by_day[name.split()[0]] += made
        if made > LIMITS.sender:
            yield f"{made} by {name}"
    yield from (f"{made} on {day}" for day, made in by_day.items() if made > LIMITS.stack)
