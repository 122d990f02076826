"""The one known gap: dead letters that SQS moved by itself, and when they can cause a second paid create.

A message that SQS moves to the dead-letter queue after its last receive has none of this stack's attributes. If the
request has no id either, neither a `request_id` nor one from an envelope, then SQS's own redrive gives it a new message
id, and so makes it a new request. If the first request was created, or is redriven too, the song is paid for twice.

Therefore the function sends the dead letter before SQS would, and starts no create on the reserved last receives. The
guarantee:

    If no more than two of any four consecutive receives of a message are harmed, every redrive of every dead letter is
    safe. A receive is harmed if its process crashes, if a write to the ledger or the dead-letter queue fails, or if its
    response is lost. The vendor may respond in any way.

It assumes that SQS keeps the visibility time-out, that clocks are wrong by less than a lease, and that no invocation
continues after its time-out. A request with its own id needs none of this: it is safe after any number of crashes.
"""

import pytest
from hypothesis import given

from song_intake.contract.sqs_message import REASON
from tests.properties.simulation import dangers, messages
from tests.properties.simulation.choices import TAPES, Choices
from tests.properties.simulation.explorer import Explorer
from tests.properties.simulation.faults import Fault, Step
from tests.properties.simulation.messages import Kind
from tests.properties.simulation.profile import schedules
from tests.properties.simulation.world import SHIPPED, World

HARMED_OF_FOUR = 2


@schedules(suite=100, campaign=20_000)
@given(tape=TAPES)
def test_a_request_without_an_id_is_safe_unless_three_of_four_receives_are_harmed(tape: bytes) -> None:
    choices = Choices(tape)
    Explorer(choices, dangers.at_most_harmed(HARMED_OF_FOUR, choices), kinds=(Kind.WITHOUT_ID,)).run()


@pytest.mark.parametrize(
    ("kind", "creates"), [(Kind.WITHOUT_ID, 2), (Kind.WITH_ID, 1), (Kind.BY_SNS, 1)], ids=["without", "with", "by SNS"]
)
def test_after_four_crashes_in_a_row_only_a_request_with_its_own_id_is_not_created_again(
    kind: Kind, creates: int
) -> None:
    world = World(SHIPPED, max_receive_count=4)
    with world.clock():
        messages.send(world, kind)
        # Crashes after the key, the secret, the connection, the claim and the create, before the outcome is recorded.
        _receive_and_crash(world, before=Step.STATEMENTS, calls=6)
        for _ in range(3):
            _receive_and_crash(world, before=Step.WRITE, calls=2)
        [message] = world.queues.requests
        assert world.deliver(message, world.workers[0]) is None
        [letter] = world.queues.dead_letters
        assert letter.attribute(REASON) is None
        world.queues.redrive(letter)
        _receive_and_finish(world)
    assert len(world.vendor.songs) == creates


def _receive_and_crash(world: World, *, before: Step, calls: int) -> None:
    [message] = world.queues.requests
    world.now = max(world.now, message.visible_at)
    handling = world.deliver(message, world.workers[0])
    assert handling is not None
    for _ in range(calls):
        world.resume(handling)
    assert handling.invocation.at is before
    world.resume(handling, Fault.DEATH)


def _receive_and_finish(world: World) -> None:
    [message] = world.queues.requests
    handling = world.deliver(message, world.workers[0])
    assert handling is not None
    while not handling.invocation.is_over:
        world.resume(handling)
