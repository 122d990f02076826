"""The stack on one virtual clock: a queue, frozen processes of submit_song, switch_intake with its schedule and bus.

Real: submit_song and switch_intake as the app builds them, with their threads. Simulated: the clocks, Lambda, and the
ends of the AWS clients and of the vendor. Times are in seconds from the start, unless stated otherwise.
"""

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, cast
from unittest import mock

from song_intake.admission.pacer import SharedPacer
from song_intake.admission.switch import IntakeSwitch, NotSwitched
from song_intake.admission.switch_rules import IntakeChange
from song_intake.app.submit import submit_song
from song_intake.app.switch import SwitchSettings, switch_intake
from song_intake.ledger.table import LedgerUnavailable
from song_intake.outgoing.events import ACCOUNT_FAULT
from song_intake.work import batch as batch_module
from song_intake.work.batch import Batch
from song_intake.work.request_work import RequestWork
from tests.outage.request_queue import Queued, RequestQueue
from tests.outage.services import Bus, DynamoDb, Secrets, Sqs, StepFunctions
from tests.outage.slow_mapping import SlowMapping
from tests.outage.vendor import CONNECT_TIMEOUT, Vendor, VendorApi
from tests.performance.paced_surroundings import Seconds
from tests.performance.virtual_time import Process, VirtualTime
from tests.properties.simulation.clients import SimulatedClients, submit_settings, webhook_settings
from tests.properties.simulation.silence import SILENT
from tests.properties.simulation.vendor import SECRET_ID
from tests.properties.simulation.webhooks import KEY_ID
from tests.template.transformed import shipped

BEGAN: Final = 1_700_000_000.0
LONGEST_RUN: Final = 12 * 86_400.0
CHECK_EVERY: Final = 60.0
RETRIES_OF_AN_EVENT: Final = (60.0, 120.0)
BETWEEN_INVOCATIONS: Final[Seconds] = (0.1, 0.5)
"""To poll the queue, to invoke the function, and to delete what it finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a case sets. The rest are the template's defaults."""

    queued: int
    creates_per_minute: int = 20
    retry_cap: float = 900.0
    seed: int = 1
    creates_per_day: int = 0
    creates_per_day_and_sender: int = 0
    sender_of: Callable[[int], str] = lambda _number: ""
    """The SenderId of the request with this number."""

    @property
    def row(self) -> dict[str, int]:
        return _paces()[str(self.creates_per_minute)]


@cache
def _paces() -> dict[str, dict[str, int]]:
    return cast("dict[str, dict[str, int]]", shipped()["Mappings"]["Paces"])


class Stack:
    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.time = VirtualTime(BEGAN)
        self._random = random.Random(deployment.seed)  # noqa: S311 - spreads times, guards nothing
        self.changed = self.time.condition()
        """The queue or the mapping."""
        self.finished = self.time.condition()
        """A thread of a batch."""
        interval = 60 / deployment.creates_per_minute if deployment.creates_per_minute else 0
        self.vendor = Vendor(self.now, self.time.sleep, interval, deployment.seed)
        self.queue = RequestQueue(deployment.row["Visibility"])
        self.sqs = Sqs(self.queue, self._wall, self._pause)
        self.dynamodb = DynamoDb(self._pause)
        self.secrets = Secrets()
        self.bus = Bus(self._pause, self._on_fault)
        self.step_functions = StepFunctions()
        self.mapping = SlowMapping(self._wall, self.later, self._notify, self._random)
        self.switch = self._new_switch()
        self.ends: list[float] = []
        """When a cause was over."""
        self.held_until = 0.0
        """Where nobody can see the end: the latest next trial, as the intake's state names it."""

    def run(self) -> None:
        for number in range(self.deployment.queued):
            self.queue.send(_request(number), BEGAN, sender=self.deployment.sender_of(number))
        with self._patched():
            for _ in range(self.deployment.row["MaximumConcurrency"]):
                environment = Environment(self)
                self.time.start(environment.process, environment.run)
            self.at(self._random.uniform(0, CHECK_EVERY), self._check_each_minute)
            self.time.run()

    def now(self) -> float:
        return self.time.now - BEGAN

    def at(self, moment: float, call: Callable[[], object]) -> None:
        self.later(moment - self.now(), call)

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        def wait() -> None:
            self.time.sleep(seconds)
            call()

        self.time.start(Process(), wait)

    @property
    def requests(self) -> set[str]:
        """The id of every request that was queued."""
        return {_name(number) for number in range(self.deployment.queued)}

    def statuses(self) -> dict[str, object]:
        """The status of each request that has a row."""
        items = self.dynamodb.table.items
        return {name: items[name]["status"]["S"] for name in self.requests if name in items}

    @property
    def is_running(self) -> bool:
        return len(self.queue) > 0 and self.now() < LONGEST_RUN

    def command(self, command: str) -> None:
        """An operator switches the intake."""
        response = self.switch.handle({"intake": command, "by": "an operator"})
        assert "error" not in response, response

    def saved(self) -> IntakeChange | None:
        """The intake's state, as it is saved."""
        return self.switch.store.last()

    def receive(self) -> list[Queued]:
        """Up to a batch of messages, as soon as there are any. Empty: the run is over."""
        while self.is_running:
            self._pause(BETWEEN_INVOCATIONS)
            if self.mapping.delivers and (
                received := self.queue.receive(self.deployment.row["BatchSize"], self.time.now)
            ):
                return received
            visible_in = self.queue.next_visible() - self.time.now if self.mapping.delivers else math.inf
            self.changed.wait(None if math.isinf(visible_in) else max(0.0, visible_in))
        return []

    def acknowledge(self, received: Sequence[Queued], failed: set[str]) -> None:
        for message in received:
            if message.message_id not in failed:
                self.queue.delete(message)
        self._notify()

    def new_batch(self, executor: "VirtualExecutor") -> Batch:
        """submit_song as the app builds it, with its conditions and its threads in virtual time."""
        row, pace = self.deployment.row, self.deployment.creates_per_minute
        settings = submit_settings(
            **webhook_settings(),
            creates_per_minute=pace,
            creates_per_day=self.deployment.creates_per_day,
            creates_per_day_and_sender=self.deployment.creates_per_day_and_sender,
            function_timeout=row["Timeout"],
            lease=row["Lease"],
            batch_size=row["BatchSize"],
            retry_base=min(5.0, self.deployment.retry_cap),
            retry_cap=self.deployment.retry_cap,
            connect_timeout=CONNECT_TIMEOUT,
        )
        clients = SimulatedClients(
            dynamodb=self.dynamodb,
            sqs=self.sqs,
            secretsmanager=self.secrets,
            events=self.bus,
            stepfunctions=self.step_functions,
        )
        batch = submit_song(settings, clients, SILENT, VendorApi(self.vendor))
        work = batch.work
        assert isinstance(work, RequestWork)
        if isinstance(work.submission.pacer, SharedPacer):
            work.submission.pacer._condition = self.time.condition
        return replace(batch, threads=cast("Any", executor))

    def _new_switch(self) -> IntakeSwitch:
        settings = SwitchSettings(
            music_api_origin="https://music.invalid",
            api_token_secret_arn=SECRET_ID,
            signing_key_secret_arn=KEY_ID,
            ledger_table="ledger",
            intake_mapping_uuid="the-mapping",
            connect_timeout=5,
            poll_deadline=10,
            creates_per_day=self.deployment.creates_per_day,
            ca_bundle=None,
        )
        services = {"dynamodb": self.dynamodb, "secretsmanager": self.secrets, "lambda": self.mapping}
        return switch_intake(settings, SimulatedClients(**services), SILENT, VendorApi(self.vendor))

    def _on_fault(self, detail: Mapping[str, object]) -> None:
        at = datetime.fromtimestamp(int(self.time.now), UTC).isoformat()
        event = {"detail-type": ACCOUNT_FAULT, "time": at, "detail": detail}
        self.later(1.0, lambda: self._invoke_switch(event, RETRIES_OF_AN_EVENT))

    def _check_each_minute(self) -> None:
        following = self.now()
        while self.is_running:
            self._invoke_switch({"intake": "check"}, ())
            following += CHECK_EVERY
            self.time.sleep(max(0.0, following - self.now()))

    def _invoke_switch(self, event: Mapping[str, object], retries: Sequence[float]) -> None:
        for seconds in (*retries, None):
            with suppress(NotSwitched, LedgerUnavailable):
                self.switch.handle(event)
                return
            if seconds is not None:
                self.time.sleep(seconds)

    def _pause(self, bounds: Seconds) -> None:
        self.time.sleep(self._random.uniform(*bounds))

    def _notify(self) -> None:
        self.changed.notify_all()

    def _wall(self) -> float:
        return self.time.now

    def _wait(self, futures: Mapping[Future[object], object], timeout: float) -> None:
        """concurrent.futures.wait in virtual time."""
        until = self.time.now + timeout
        while not all(future.done() for future in futures) and self.time.now < until:
            self.finished.wait(until - self.time.now)

    @contextmanager
    def _patched(self) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(self.time.clock())
            stack.enter_context(mock.patch("time.sleep", self.time.sleep))
            stack.enter_context(mock.patch.object(batch_module, "wait", self._wait))
            stack.enter_context(mock.patch("random.uniform", self._random.uniform))
            yield


class Environment:
    """A process of submit_song, which Lambda freezes between its invocations."""

    def __init__(self, stack: Stack) -> None:
        self.process = Process()
        self._stack = stack

    def run(self) -> None:
        stack, batch, frozen_at = self._stack, None, self._stack.time.now
        while received := stack.receive():
            self.process.frozen_for += stack.time.now - frozen_at
            batch = batch or stack.new_batch(VirtualExecutor(stack, self.process))
            deadline = stack.time.now + stack.deployment.row["Timeout"]
            response = batch.handle([message.record() for message in received], lambda: deadline - stack.time.now)  # noqa: B023
            stack.acknowledge(received, {failure["itemIdentifier"] for failure in response["batchItemFailures"]})
            frozen_at = stack.time.now


class VirtualExecutor:
    """The ThreadPoolExecutor of one process, in virtual time."""

    def __init__(self, stack: Stack, process: Process) -> None:
        self._stack, self._process = stack, process

    def submit(self, function: Callable[..., object], *arguments: object) -> Future[object]:
        future: Future[object] = Future()

        def work() -> None:
            try:
                future.set_result(function(*arguments))
            except Exception as failure:  # noqa: BLE001 - as the real one
                future.set_exception(failure)
            self._stack.finished.notify_all()

        self._stack.time.start(self._process, work)
        return future


def _name(number: int) -> str:
    return f"request-{number}"


def _request(number: int) -> str:
    name = _name(number)
    return json.dumps({"request_id": name, "title": name, "sound": "slow folk", "task_token": f"token-{number}"})
