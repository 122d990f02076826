"""Chooses a schedule step by step, runs it to its end, and checks the invariants after every step.

explore   any order of deliveries, calls, faults, crashes, redrives and jumps of time, within the given limits
drain     no more faults: invocations end, late writes and creates arrive, and the queue becomes empty
redrive   every dead letter that may be redriven is redriven, and the queue is drained again, once or twice; twice if
          SQS moved one
"""

from collections.abc import Callable, Sequence
from typing import Final

from song_intake.contract.sqs_message import REASON
from tests.properties.simulation import dangers, invariants, messages
from tests.properties.simulation.choices import Choices
from tests.properties.simulation.dangers import Dangers
from tests.properties.simulation.faults import FAULTS_AT, Fault, is_harmful
from tests.properties.simulation.messages import Kind
from tests.properties.simulation.queues import QueuedMessage
from tests.properties.simulation.world import (
    FUNCTION_TIMEOUT,
    LEASE,
    PAID_CALL,
    SHIPPED,
    Handling,
    Parts,
    Worker,
    World,
)

MOST_UNDER_WAY: Final = 3
MOST_DELIVERIES_OF_A_DRAIN: Final = 200

JUMPS: Final = (1.0, 30.0, LEASE + 1, 400.0)  # seconds: short, half a call, past the lease, past the visibility
SKEWS: Final = (0.0, LEASE + 1, -LEASE - 1)


class Explorer:
    """One schedule."""

    def __init__(
        self, choices: Choices, allowed: Dangers, parts: Parts = SHIPPED, kinds: Sequence[Kind] = tuple(Kind)
    ) -> None:
        self._choices = choices
        self._kinds = kinds
        self._dangers = allowed
        # With a count of 4, a message that is over its budget would be sent anew every 15 minutes of its wait.
        counts = (5, 6, 7) if parts.creates_per_day_and_sender else (5, 4, 7)
        self.world = World(parts, max_receive_count=choices.pick(counts))
        self._stale_handles_delete = choices.pick((True, False))

    def run(self) -> None:
        """Run it. Raises Violation."""
        with self.world.clock():
            for _ in range(self._choices.pick((1, 2, 3))):
                messages.send(self.world, self._choices.pick(self._kinds))
            for _ in range(self._choices.pick((20, 40, 80))):
                self._choices.pick(self._possible())()
                invariants.check(self.world)
            self._drain()
            # A message that SQS moved may first get the dead letter that it never had.
            has_moved = any(letter.was_moved for letter in self.world.queues.dead_letters)
            for _ in range(2 if has_moved else self._choices.pick((1, 2))):
                self._redrive_all()
            invariants.check_redriven(self.world)

    def _possible(self) -> list[Callable[[], None]]:
        """The possible next actions. One that is listed several times is more likely."""
        world, allowed = self.world, self._dangers
        actions: list[Callable[[], None]] = [self._pass_time]
        if world.under_way:
            actions[:0] = [self._call] * 8
        if self._deliverable() and self._free_workers():
            actions[:0] = [self._deliver] * 3
        if allowed.long_pauses and world.under_way:
            actions.append(self._time_out)
        if allowed.wrong_clocks:
            actions.append(self._set_clock)
        if allowed.early_deliveries and world.queues.deleted:
            actions.append(self._deliver_deleted)
        if allowed.redrives and any(map(self._may_redrive, world.queues.dead_letters)):
            actions += [self._redrive_one] * 2
        if allowed.cancels:
            actions.append(self._cancel)
        if world.dynamodb.late or world.vendor.late:
            actions += [self._land_one] * 2
        return actions

    def _call(self) -> None:
        handling = self._choices.pick(self.world.under_way)
        self._resume(handling, self._fault_for(handling))

    def _fault_for(self, handling: Handling) -> Fault | None:
        step = handling.invocation.at
        assert step is not None
        faults = [fault for fault in FAULTS_AT[step] if (step, fault) in self._dangers.faults]
        if not self._may_be_harmed(handling):
            faults = [fault for fault in faults if not is_harmful(step, fault)]
        calm: list[Fault | None] = [None] * (self._dangers.calm * len(faults))
        return self._choices.pick([*calm, *faults]) if faults else None

    def _may_be_harmed(self, handling: Handling) -> bool:
        delivery = handling.delivery
        last_three = range(delivery.receive_count - 3, delivery.receive_count)
        harmed = sum(
            earlier.is_harmed
            for earlier in self.world.history
            if earlier.delivery.message_id == delivery.message_id and earlier.delivery.receive_count in last_three
        )
        return harmed < self._dangers.harmed_of_four

    def _resume(self, handling: Handling, fault: Fault | None = None) -> None:
        self.world.resume(handling, fault)
        if handling.invocation.is_over:
            self._end(handling)

    def _end(self, handling: Handling) -> None:
        is_overdue = self.world.now > handling.started + FUNCTION_TIMEOUT
        may_be_lost = self._dangers.lost_acknowledgements and self._may_be_harmed(handling)
        if is_overdue or (may_be_lost and self._choices.pick([False] * self._dangers.calm + [True])):
            handling.is_answered = False
        self.world.acknowledge(handling, stale_handles_delete=self._stale_handles_delete)

    def _deliver(self) -> None:
        self._begin(self._choices.pick(self._deliverable()), self._choices.pick(self._free_workers()))

    def _begin(self, message: QueuedMessage, worker: Worker) -> None:
        handling = self.world.deliver(message, worker)
        if handling is not None and handling.invocation.is_over:
            self._end(handling)

    def _deliverable(self) -> list[QueuedMessage]:
        requests = self.world.queues.requests
        visible = [message for message in requests if message.visible_at <= self.world.now]
        return requests if self._dangers.early_deliveries else visible

    def _free_workers(self) -> list[Worker]:
        """Environments without an invocation. One that timed out does not count, although its code may still run."""
        world = self.world
        busy = [handling.worker for handling in world.under_way if handling.is_answered]
        if len(world.under_way) >= MOST_UNDER_WAY:
            return []
        return [worker for worker in world.workers if worker not in busy]

    def _deliver_deleted(self) -> None:
        self.world.deliver_deleted(self._choices.pick(self.world.queues.deleted))

    def _pass_time(self) -> None:
        seconds = self._choices.pick(JUMPS)
        if not self._dangers.long_pauses and self.world.under_way:
            oldest = min(handling.started for handling in self.world.under_way)
            seconds = max(0.0, min(seconds, oldest + FUNCTION_TIMEOUT - PAID_CALL - 1 - self.world.now))
        self.world.note(f"{seconds:g} s pass")
        self.world.now += seconds

    def _time_out(self) -> None:
        self.world.time_out(self._choices.pick(self.world.under_way))

    def _set_clock(self) -> None:
        worker = self._choices.pick(self.world.workers)
        worker.skew = self._choices.pick(SKEWS)
        self.world.note(f"the clock of {worker.name} is wrong by {worker.skew:g} s")

    def _may_redrive(self, letter: QueuedMessage) -> bool:
        has_id = letter.attribute(REASON) is not None or letter.sent.has_own_id
        return has_id or self._dangers.redrives_without_attributes

    def _redrive_one(self) -> None:
        self._redrive(self._choices.pick([*filter(self._may_redrive, self.world.queues.dead_letters)]))

    def _redrive(self, letter: QueuedMessage) -> None:
        message = self.world.queues.redrive(letter)
        self.world.note(f"{letter.message_id} is redriven as {message.message_id}")

    def _redrive_all(self) -> None:
        for letter in [*filter(self._may_redrive, self.world.queues.dead_letters)]:
            self._redrive(letter)
        self._drain()

    def _cancel(self) -> None:
        self.world.cancel(
            self._choices.pick([sent for sent in self.world.sent if sent.valid] or self.world.sent).request_id
        )

    def _land_one(self) -> None:
        """A late write arrives in DynamoDB, or a late create at the vendor."""
        if writes := self.world.dynamodb.late:
            self.world.note("a late write arrives")
            self.world.dynamodb.land(self._choices.pick(writes))
        else:
            self.world.note("a song is created late")
            self.world.vendor.make_late(self._choices.pick(self.world.vendor.late))

    def _drain(self) -> None:
        self.world.note("no more faults")
        self._dangers = dangers.NONE
        self.world.now += FUNCTION_TIMEOUT
        for worker in self.world.workers:
            worker.skew = 0.0
        while self.world.dynamodb.late or self.world.vendor.late:
            self._land_one()
        for _ in range(MOST_DELIVERIES_OF_A_DRAIN):
            self._end_invocations()
            if not self.world.queues.requests:
                break
            message = min(self.world.queues.requests, key=lambda message: message.visible_at)
            self.world.now = max(self.world.now, message.visible_at)
            self._begin(message, self.world.workers[0])
        invariants.check(self.world)
        invariants.check_settled(self.world)

    def _end_invocations(self) -> None:
        while self.world.under_way:
            self._resume(self.world.under_way[0])
            invariants.check(self.world)
