"""Several environments of submit_song, with everything around them in memory.

Real: submit_song as app/submit builds it, and how it reads the vendor's responses. Simulated: the services behind its
clients, the clock, and Lambda's poller of the queue. Nothing happens on its own: a schedule calls the methods here.
"""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Self, cast

from song_intake.admission.circuit_breaker import CircuitBreaker
from song_intake.admission.pace_item import PaceItem
from song_intake.admission.pacer import Pacer, SharedPacer, Unpaced
from song_intake.app.submit import RESERVED_RECEIVES, SubmitSettings, submit_song
from song_intake.aws.secrets import FAILURE_SHARED_SECONDS
from song_intake.ledger.submitting import SubmissionStore
from song_intake.ledger.table import LedgerTable
from song_intake.music_api.webhook import no_window
from song_intake.outgoing.dead_letters import DeadLetters
from song_intake.work.batch import Batch, BatchResponse
from song_intake.work.request_work import RequestWork
from tests.properties.simulation import operator
from tests.properties.simulation.bus import Bus, SimulatedEvents
from tests.properties.simulation.clients import SimulatedClients, SimulatedSecrets, submit_settings
from tests.properties.simulation.clock import simulated_time
from tests.properties.simulation.dynamodb import SimulatedDynamoDb, Table
from tests.properties.simulation.faults import Fault, Step, is_harmful
from tests.properties.simulation.invocation import Invocation
from tests.properties.simulation.queues import (
    DEAD_LETTERS_URL,
    Deliveries,
    QueuedMessage,
    Queues,
    Sent,
    SimulatedSqs,
)
from tests.properties.simulation.silence import SILENT
from tests.properties.simulation.vendor import SimulatedMusicApi, Vendor

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The template's defaults, in seconds.
FUNCTION_TIMEOUT: Final = 60.0
PAID_CALL: Final = 40.0
LEASE: Final = 75.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The classes under test. A test of the invariants puts broken ones here."""

    store: type[SubmissionStore] = SubmissionStore
    dead_letters: type[DeadLetters] = DeadLetters
    request_work: type[RequestWork] = RequestWork
    music_api: type[SimulatedMusicApi] = SimulatedMusicApi
    creates_per_minute: int = 0
    """0: creates are not paced."""
    creates_per_day_and_sender: int = 0
    """0: there is no budget. All messages have one sender."""


SHIPPED: Final = Parts()


@dataclass(slots=True, eq=False)
class Worker:
    """An execution environment, whose clock is wrong by `skew` seconds."""

    name: str
    batch: Batch
    skew: float = 0.0
    key_failed_at: float = -math.inf
    """When a read of the signing key failed, by its own clock. The failure counts for all reads of the next moment."""


@dataclass(slots=True, eq=False)
class Handling:
    """An invocation, the delivery that it handles, and the faults in it."""

    invocation: Invocation[BatchResponse]
    delivery: QueuedMessage
    worker: Worker
    started: float
    faults: list[tuple[Step, Fault]] = field(default_factory=list)
    is_answered: bool = True
    """Whether Lambda acts on its response. It does not after a time-out, although the code may still run."""
    has_no_key: bool = False
    """Whether a read of the signing key had just failed. Without the key, the message can only wait."""

    @property
    def is_harmed(self) -> bool:
        """Whether a fault on our side may have kept it from carrying out its decision."""
        return not self.is_answered or self.has_no_key or any(is_harmful(step, fault) for step, fault in self.faults)


class _Waiting:
    """The condition of a pacer with one thread. No other thread wakes it: it waits, and time passes."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def wait(self, timeout: float) -> None:
        self._world.note(f"{timeout:g} s pass until a slot")
        self._world.now += timeout

    def notify_all(self) -> None:
        return


class World(Deliveries):
    """One queue, its function, and the services around it."""

    def __init__(self, parts: Parts, max_receive_count: int) -> None:
        self.now = 1_700_000_000.0
        self.parts = parts
        self.final_receive = max_receive_count - RESERVED_RECEIVES
        self.queues = Queues(max_receive_count)
        self.bus = Bus()
        self.table = Table()
        self.vendor = Vendor()
        self.dynamodb = SimulatedDynamoDb(self, self.table)
        self.sent: list[Sent] = []
        self.fingerprints: dict[str, str] = {}
        """The fingerprint of each song, by title."""
        self.history: list[Handling] = []
        self.moved_without_need: list[QueuedMessage] = []
        """Messages that SQS moved although their last receive had no fault."""
        self.cancelled: dict[str, int] = {}
        """Requests whose cancel was confirmed, and how many creates of any request had begun by then."""
        self.under_way: list[Handling] = []
        self.workers = [Worker("A", self._new_batch()), Worker("B", self._new_batch())]
        self._at_work: Handling | None = None
        self.trace: list[str] = []

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Patch the clocks: wall time is that of the running worker, skew included; monotonic time is exact."""
        with simulated_time(self._time, self._true_time):
            try:
                yield
            finally:
                self._end_all()

    def before(self, step: Step) -> Fault | None:
        assert self._at_work is not None
        return self._at_work.invocation.before(step)

    def being_handled(self) -> QueuedMessage:
        assert self._at_work is not None
        return self._at_work.delivery

    def deliver(self, message: QueuedMessage, worker: Worker) -> Handling | None:
        """Lambda receives the message and invokes the function, which runs up to its first call. None: SQS moved it."""
        delivery = self.queues.receive(message, self.now)
        if delivery is None:
            self._note_move(message)
            return None
        self.note(f"{worker.name} receives {message.message_id}, receive {delivery.receive_count}")
        started = self.now
        function = partial(worker.batch.handle, [delivery.record()])
        invocation = Invocation(worker.name, function, lambda: started + FUNCTION_TIMEOUT - self.now)
        handling = Handling(invocation, delivery, worker, started)
        self.under_way.append(handling)
        self.history.append(handling)
        self._continue(handling)
        invocation.start()
        self._after(handling)
        return handling

    def resume(self, handling: Handling, fault: Fault | None = None) -> None:
        """One call of the invocation, and its code up to the next call."""
        invocation, step = handling.invocation, handling.invocation.at
        assert step is not None
        self.note(f"{invocation.name} {step}" + (f": {fault}" if fault else ""))
        self._continue(handling)
        if fault is not None:
            handling.faults.append((step, fault))
            if step is Step.KEY:
                handling.worker.key_failed_at = self._time()
        invocation.resume(fault)
        self._after(handling)

    def time_out(self, handling: Handling) -> None:
        """The invocation times out. Its environment may be frozen, and continue the work later."""
        self.note(f"{handling.invocation.name} times out, and may continue later")
        handling.is_answered = False
        handling.worker.batch = self._new_batch()

    def acknowledge(self, handling: Handling, *, stale_handles_delete: bool) -> None:
        """Lambda deletes the message unless the response reports it as failed."""
        response = handling.invocation.response
        if not handling.is_answered:
            self.note(f"the response of {handling.invocation.name} is lost")
        elif response is not None and not response["batchItemFailures"]:
            self.note(f"{handling.delivery.message_id} is deleted")
            self.queues.delete(handling.delivery, also_by_a_stale_handle=stale_handles_delete)

    def deliver_deleted(self, message: QueuedMessage) -> None:
        """A standard queue may deliver a deleted message again, as if the delete had been lost."""
        self.note(f"{message.message_id} is delivered again although it was deleted")
        self.queues.deliver_again(message)
        for handling in self.history:
            if handling.delivery.message_id == message.message_id and handling.invocation.is_over:
                handling.is_answered = False

    def cancel(self, request_id: str) -> None:
        """An operator cancels the request, if it is not too late."""
        is_confirmed = operator.cancels(request_id, self.table, self.bus)
        self.note(f"{request_id} is cancelled" if is_confirmed else f"it is too late to cancel {request_id}")
        if is_confirmed:
            self.cancelled.setdefault(request_id, len(self.vendor.begun))

    def note(self, what: str) -> None:
        self.trace.append(what)

    def _note_move(self, message: QueuedMessage) -> None:
        self.note(f"SQS moves {message.message_id} after {message.receive_count} receives")
        last = next(h for h in reversed(self.history) if h.delivery.message_id == message.message_id)
        if last.invocation.is_over and not last.is_harmed:
            self.moved_without_need.append(message)

    def _continue(self, handling: Handling) -> None:
        self._at_work = handling
        # As the cache of the key has it. After the clock was set back, an old failure may seem to be of this moment.
        if 0 <= self._time() - handling.worker.key_failed_at < FAILURE_SHARED_SECONDS:
            handling.has_no_key = True

    def _after(self, handling: Handling) -> None:
        self._at_work = None
        invocation = handling.invocation
        if invocation.error is not None:
            raise invocation.error
        if invocation.is_over:
            self.under_way.remove(handling)
        if invocation.dead:
            # A crash ends the whole process, with the token in its memory.
            handling.worker.batch = self._new_batch()

    def _time(self) -> float:
        return self.now + (self._at_work.worker.skew if self._at_work else 0)

    def _true_time(self) -> float:
        return self.now

    def _end_all(self) -> None:
        for handling in list(self.under_way):
            self._at_work = handling
            handling.invocation.resume(Fault.DEATH)
        self.under_way.clear()

    def _new_batch(self) -> Batch:
        """submit_song as the app builds it, with the parts under test."""
        settings = submit_settings(
            max_receive_count=self.queues.max_receive_count,
            creates_per_minute=self.parts.creates_per_minute,
            creates_per_day_and_sender=self.parts.creates_per_day_and_sender,
        )
        # No request here has a task_token.
        clients = SimulatedClients(
            dynamodb=self.dynamodb,
            sqs=SimulatedSqs(self, self.queues),
            events=SimulatedEvents(self, self.bus),
            secretsmanager=SimulatedSecrets(self),
        )
        batch = submit_song(settings, clients, SILENT, self.parts.music_api(self, self.vendor))
        assert isinstance(batch.work, RequestWork)
        table = LedgerTable(cast("DynamoDBClient", self.dynamodb), "ledger", settings.keep_days)
        submission = replace(
            batch.work.submission,
            store=self.parts.store(table, LEASE, no_window),
            pacer=self._new_pacer(settings),
            breaker=CircuitBreaker(),
        )
        work = self.parts.request_work(
            submission=submission,
            steps=replace(
                batch.work.steps,
                dead_letters=self.parts.dead_letters(batch.sqs, DEAD_LETTERS_URL, batch.work.proofs),
            ),
            follow_ups=batch.work.follow_ups,
            requests=batch.work.requests,
            proofs=batch.work.proofs,
        )
        return replace(batch, work=work)

    def _new_pacer(self, settings: SubmitSettings) -> Pacer:
        if not settings.creates_per_minute:
            return Unpaced()
        item = PaceItem(cast("DynamoDBClient", self.dynamodb), "ledger")
        waiting = cast("Callable[[], threading.Condition]", lambda: _Waiting(self))
        return SharedPacer(item, settings.creates_per_minute, PAID_CALL, settings.connect_timeout, waiting)
