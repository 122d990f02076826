"""The functions that follow a song, with everything around them in memory; and submit_song, to which a story goes back.

Real is all that stands in following_functions.py. Simulated are the ends of its clients, the clock, Lambda's reading of
the queues, and the vendor with its webhook. Each call that leaves a process is one point of the story, before which its
plan may have something go wrong.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from unittest import mock

from song_intake.contract.sqs_message import SqsRecord
from song_intake.work.batch import Batch, TimeLeft
from song_intake.work.webhook_endpoint import HttpApiEvent, WebhookEndpoint
from tests.properties.simulation.bus import Bus
from tests.properties.simulation.clock import simulated_time
from tests.properties.simulation.dynamodb import SimulatedDynamoDb, Table
from tests.properties.simulation.faults import Fault, Step
from tests.properties.simulation.following_functions import MAX_RECEIVE_COUNT, Functions, Parts
from tests.properties.simulation.invocation import Decide, Invocation, Run
from tests.properties.simulation.queues import CHECKS_URL, RECORDINGS_URL, Deliveries, QueuedMessage, Queues
from tests.properties.simulation.recordings import Objects
from tests.properties.simulation.vendor import Vendor
from tests.properties.simulation.webhooks import Courier, DueCall
from tests.properties.simulation.workflows import Workflows

# The template's defaults.
CHECKS_VISIBILITY: Final = 180.0
RECORDINGS_VISIBILITY: Final = 1800.0
MAX_RECEIVE_COUNT_OF_CHECKS: Final = 1000

TIME_LEFT: Final = 60.0


@dataclass(slots=True, eq=False)
class Running:
    """An invocation: of a delivery, or of a call to the webhook."""

    invocation: Invocation[bool] | Run[bool]
    """It returns whether what it was invoked with is done."""
    delivery: QueuedMessage | None
    answered: Callable[[bool], None]
    """Whoever invoked it hears its answer, or after its death that there is none: False."""
    is_answered: bool = False

    @property
    def at(self) -> Step | None:
        """The point before which it stands; None when it is all over."""
        if self.is_answered:
            return None
        return Step.ANSWER if self.invocation.is_over else self.invocation.at


@dataclass(slots=True)
class Scene:
    """All that outlives a process."""

    courier: Courier
    now: float = 1_700_000_000.0
    requests: Queues = field(default_factory=lambda: Queues(MAX_RECEIVE_COUNT))
    checks: Queues = field(default_factory=lambda: Queues(MAX_RECEIVE_COUNT_OF_CHECKS, CHECKS_URL, CHECKS_VISIBILITY))
    table: Table = field(default_factory=Table)
    recordings: Queues = field(
        default_factory=lambda: Queues(MAX_RECEIVE_COUNT_OF_CHECKS, RECORDINGS_URL, RECORDINGS_VISIBILITY)
    )
    objects: Objects | None = None
    """None: recordings are not kept."""
    bus: Bus = field(default_factory=Bus)
    workflows: Workflows = field(default_factory=Workflows)
    vendor: Vendor = field(default_factory=Vendor)
    trace: list[str] = field(default_factory=list)


class FollowingWorld(Deliveries):
    """A scene, and the functions that act in it."""

    def __init__(self, scene: Scene, parts: Parts, decide: Decide | None = None) -> None:
        """With `decide`, an invocation runs through; without, it stops before every point until it is resumed."""
        self.scene = scene
        self._decide = decide
        self.dynamodb = SimulatedDynamoDb(self, scene.table)
        self._new_functions = partial(Functions, self, parts)
        self._functions = self._new_functions()
        self._at_work: Running | None = None
        self._running: list[Running] = []

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Without jitter: the same plan is always the same story."""
        with simulated_time(self._time, self._time), mock.patch("random.uniform", lambda _low, high: high):
            try:
                yield
            finally:
                self._end_all()

    @property
    def now(self) -> float:  # type: ignore[override]
        return self.scene.now

    @property
    def trace(self) -> list[str]:
        return self.scene.trace

    def before(self, step: Step) -> Fault | None:
        assert self._at_work is not None
        return self._at_work.invocation.before(step)

    def being_handled(self) -> QueuedMessage:
        assert self._at_work is not None
        assert self._at_work.delivery is not None
        return self._at_work.delivery

    def next(self) -> Running | None:
        """Whatever comes next: a call to the webhook, a check or a request. None when nothing will ever come."""
        while self.dynamodb.late:
            self.dynamodb.land(self.dynamodb.late[0])
        coming: list[tuple[float, Callable[[], Running]]] = [
            *((call.at, partial(self.call, call)) for call in self.scene.courier.due),
            *((message.visible_at, partial(self.look, message)) for message in self.scene.checks.requests),
            *((message.visible_at, partial(self.keep, message)) for message in self.scene.recordings.requests),
            *((message.visible_at, partial(self.submit, message)) for message in self.scene.requests.requests),
        ]
        if not coming:
            return None
        at, begin = min(coming, key=lambda one: one[0])
        self.scene.now = max(self.now, at)
        return begin()

    def look(self, message: QueuedMessage) -> Running:
        """track_song is invoked with a check."""
        return self._receive(self.scene.checks, message, self._functions.track_song)

    def keep(self, message: QueuedMessage) -> Running:
        """keep_recording is invoked with an order."""
        return self._receive(self.scene.recordings, message, self._functions.keep_recording)

    def submit(self, message: QueuedMessage) -> Running:
        """submit_song is invoked with a request."""
        return self._receive(self.scene.requests, message, self._functions.submit_song)

    def call(self, call: DueCall) -> Running:
        """receive_webhook is invoked with a call of the vendor."""
        self.scene.courier.due.remove(call)
        self.trace.append("the vendor calls the webhook")

        def answered(accepted: bool) -> None:  # noqa: FBT001 - as Running has it
            self.scene.courier.answered(call, self.now, accepted=accepted)

        function = partial(_is_accepted, self._functions.receive_webhook, call.event())
        return self._start("receive_webhook", function, answered)

    def resume(self, running: Running, fault: Fault | None = None) -> None:
        """One point of the invocation, and everything up to its next."""
        step, invocation = running.at, running.invocation
        assert step is not None
        self._note(invocation.name, step, fault)
        if isinstance(invocation, Run) or invocation.is_over:
            self._answer(running, is_heard=fault is None)
            return
        self._at_work = running
        invocation.resume(fault)
        self._after(running)

    def redrive(self) -> None:
        """Every dead letter goes back to its queue."""
        for queues in (self.scene.requests, self.scene.checks, self.scene.recordings):
            for letter in list(queues.dead_letters):
                self.trace.append(f"the letter {letter.message_id} is redriven")
                queues.redrive(letter, self.now)

    def _receive(self, queues: Queues, message: QueuedMessage, batch: Batch) -> Running:
        delivery = queues.receive(message, self.now)
        assert delivery is not None, "SQS moves it itself"
        name = {CHECKS_URL: "track_song", RECORDINGS_URL: "keep_recording"}.get(queues.url, "submit_song")
        self.trace.append(f"{name} receives {message.message_id}, receive {delivery.receive_count}")

        def answered(done: bool) -> None:  # noqa: FBT001 - as Running has it
            if done:
                queues.delete(delivery, also_by_a_stale_handle=False)

        return self._start(name, partial(_is_done, batch, delivery.record()), answered, delivery)

    def _start(
        self,
        name: str,
        function: Callable[[TimeLeft], bool],
        answered: Callable[[bool], None],
        delivery: QueuedMessage | None = None,
    ) -> Running:
        running = Running(self._invocation(name, function), delivery, answered)
        self._running.append(running)
        self._at_work = running
        running.invocation.start()
        self._after(running)
        return running

    def _invocation(self, name: str, function: Callable[[TimeLeft], bool]) -> Invocation[bool] | Run[bool]:
        if self._decide is None:
            return Invocation(name, function, _plenty_of_time)
        return Run(name, function, _plenty_of_time, partial(self._noted, name, self._decide))

    def _noted(self, name: str, decide: Decide, step: Step) -> Fault | None:
        fault = decide(step)
        self._note(name, step, fault)
        return fault

    def _note(self, name: str, step: Step, fault: Fault | None) -> None:
        self.trace.append(f"{name} {step}" + (f": {fault}" if fault else ""))

    def _after(self, running: Running) -> None:
        self._at_work = None
        if running.invocation.error is not None:
            raise running.invocation.error
        if running.invocation.dead:
            self._answer(running, is_heard=False)
            # What is under way in the others goes on there.
            self._functions = self._new_functions()

    def _answer(self, running: Running, *, is_heard: bool) -> None:
        running.is_answered = True
        self._running.remove(running)
        running.answered(is_heard and bool(running.invocation.response))

    def _end_all(self) -> None:
        for running in self._running:
            if isinstance(running.invocation, Invocation) and not running.invocation.is_over:
                self._at_work = running
                running.invocation.resume(Fault.DEATH)
        self._running.clear()

    def _time(self) -> float:
        return self.now


def _plenty_of_time() -> float:
    return TIME_LEFT


def _is_done(batch: Batch, record: SqsRecord, time_left: TimeLeft) -> bool:
    return not batch.handle([record], time_left)["batchItemFailures"]


def _is_accepted(endpoint: WebhookEndpoint, event: HttpApiEvent, _time_left: TimeLeft) -> bool:
    return endpoint.handle(event)["statusCode"] == 200
