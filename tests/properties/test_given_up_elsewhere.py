"""A message whose request was given up by another message becomes a dead letter at once."""

from song_intake.contract.sqs_message import REASON
from tests.properties.simulation import messages
from tests.properties.simulation.faults import Fault, Step
from tests.properties.simulation.messages import Kind
from tests.properties.simulation.queues import QueuedMessage
from tests.properties.simulation.world import SHIPPED, World

CRASH = {Step.CONNECT: Fault.DEATH}


def test_a_message_whose_redriven_dead_letter_was_given_up_does_not_use_the_reserved_receives() -> None:
    world = World(SHIPPED, max_receive_count=5)
    with world.clock():
        messages.send(world, Kind.WITHOUT_ID)
        [first] = world.queues.requests
        _receive(world, first, CRASH)
        _receive(world, first, CRASH)
        _receive(world, first, {}, is_answered=False)  # given up; its delete is lost
        redriven = world.queues.redrive(world.queues.dead_letters[0])
        _receive(world, redriven, CRASH)
        _receive(world, redriven, CRASH)
        _receive(world, redriven, {})  # given up too: the row names the redriven message
        _receive(world, first, {})
    assert world.queues.requests == []
    assert [letter.attribute(REASON) for letter in world.queues.dead_letters] == ["RETRIES_EXHAUSTED"] * 2


def _receive(world: World, message: QueuedMessage, faults: dict[Step, Fault], *, is_answered: bool = True) -> None:
    world.now = max(world.now, message.visible_at)
    handling = world.deliver(message, world.workers[0])
    assert handling is not None
    while (step := handling.invocation.at) is not None:
        world.resume(handling, faults.get(step))
    handling.is_answered = is_answered
    world.acknowledge(handling, stale_handles_delete=True)
