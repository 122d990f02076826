"""Every point at which a request is cancelled or expires, with every fault at every point: no create begins after it.

In test_schedules.py these are drawn at random, among other messages and workers.
"""

from collections.abc import Callable, Iterator

import pytest

from song_intake.contract.sqs_message import REASON
from song_intake.domain.status import Status
from song_intake.ledger.row import Row
from tests.properties.simulation import invariants, messages
from tests.properties.simulation.faults import FAULTS_AT, Fault, Step
from tests.properties.simulation.messages import SECONDS_LEFT, Kind
from tests.properties.simulation.world import SHIPPED, World

NEVER = -1

# For these faults, a request goes the same way as for another one.
ALIKE = (Fault.NO_CREDITS, Fault.ERROR, Fault.ERROR_AND_SONG, Fault.NO_TASK_ID, Fault.DONE_AND_REFUSED)

Close = Callable[[World], None]


def _cancel(world: World) -> None:
    world.cancel(world.sent[0].request_id)


def _expire(world: World) -> None:
    """Enough time for a paid call is left."""
    world.note("the deadline passes")
    world.now += (SECONDS_LEFT[Kind.DATED] or 0) + 1


class Run:
    """One request from its message to its end, redrives included. `points`: the calls that were made."""

    def __init__(self, kind: Kind, close: Close, at: int, fault_at: int = NEVER, fault: Fault | None = None) -> None:
        self.points: list[Step] = []
        self.world = World(SHIPPED, max_receive_count=5)
        self._close, self._at, self._fault_at, self._fault = close, at, fault_at, fault
        with self.world.clock():
            messages.send(self.world, kind)
            if at == NEVER:
                close(self.world)
            self._receive_all()
            for letter in [*self.world.queues.dead_letters]:
                self.world.queues.redrive(letter, self.world.now)
            self._receive_all()
            invariants.check_redriven(self.world)

    def _receive_all(self) -> None:
        world = self.world
        while world.queues.requests:
            message = min(world.queues.requests, key=lambda one: one.visible_at)
            world.now = max(world.now, message.visible_at)
            handling = world.deliver(message, world.workers[0])
            while handling is not None and (step := handling.invocation.at) is not None:
                if len(self.points) == self._at:
                    self._close(world)
                fault = self._fault if len(self.points) == self._fault_at else None
                self.points.append(step)
                world.resume(handling, fault)
                invariants.check(world)
            if handling is not None:
                world.acknowledge(handling, stale_handles_delete=True)
            while world.dynamodb.late:
                world.dynamodb.land(world.dynamodb.late[0])
            while world.vendor.late:
                world.vendor.make_late(world.vendor.late[0])
        invariants.check_settled(world)

    @property
    def row(self) -> Row:
        item = self.world.table.items[self.world.sent[0].request_id]
        return Row.of(item)  # type: ignore[arg-type]  # both types are an item's JSON


def _faults(points: list[Step]) -> Iterator[tuple[int, Fault]]:
    for number, step in enumerate(points):
        yield from ((number, fault) for fault in FAULTS_AT[step] if fault not in ALIKE)


@pytest.mark.parametrize(("kind", "close"), [(Kind.WITH_ID, _cancel), (Kind.DATED, _expire)])
def test_nothing_is_created_after_a_request_was_closed(kind: Kind, close: Close) -> None:
    open_end = Run(kind, close, at=1_000)
    assert open_end.row.status is Status.SUBMITTED
    ends = set()
    for at in range(NEVER, len(open_end.points)):
        calm = Run(kind, close, at)
        for fault_at, fault in _faults(calm.points):
            run = Run(kind, close, at, fault_at, fault)
            ends.add((run.row.status, run.row.reason))
            if run.row.is_closed:
                assert run.world.vendor.songs == []
                assert {letter.attribute(REASON) for letter in run.world.queues.dead_letters} == {run.row.reason}
    assert {status for status, _ in ends} == {Status.SUBMITTED, Status.IN_DOUBT, Status.REJECTED}
    # A request that was refused before its deadline keeps that reason. Its redriven letter has expired.
    reasons = {reason for status, reason in ends if status is Status.REJECTED}
    assert reasons == ({"CANCELLED"} if close is _cancel else {"EXPIRED", "REFUSED"})
