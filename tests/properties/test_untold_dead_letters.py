"""The one hole that is known, and what it takes to fall into it.

A message that SQS moves to the dead letters itself, after its last receive, carries no word of ours. If the request has
no id of its own either, neither a `request_id` nor that of an envelope, then a redrive of it, which gives it a new
message id, makes it a new request: should the old one have been created, or be redriven too, it is paid for twice.

So the function speaks before SQS does, and begins no create on the last receives, which are held back. What holds:

    If of any four receives of a message in a row no more than two are harmed, every redrive of every dead letter is
    safe. Harmed is a receive whose process dies, for which the ledger or the dead-letter queue does not take a write,
    or whose acknowledgement is not heard. The vendor may do whatever it does.

It assumes that SQS keeps a message invisible for as long as it was told, that the clocks are less wrong than a lease is
long, and that no invocation outlives its time-out. A request with an id of its own needs none of this: it is safe
after any number of deaths.
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


@schedules(suite=200, campaign=20_000)
@given(tape=TAPES)
def test_a_request_without_an_id_is_safe_unless_three_of_four_receives_are_harmed(tape: bytes) -> None:
    choices = Choices(tape)
    Explorer(choices, dangers.at_most_harmed(HARMED_OF_FOUR, choices), kinds=(Kind.WITHOUT_ID,)).run()


@pytest.mark.parametrize(
    ("kind", "creates"), [(Kind.WITHOUT_ID, 2), (Kind.WITH_ID, 1), (Kind.BY_SNS, 1)], ids=["without", "with", "by SNS"]
)
def test_after_four_deaths_in_a_row_only_an_id_of_its_own_tells_a_redrive_from_a_new_request(
    kind: Kind, creates: int
) -> None:
    world = World(SHIPPED, max_receive_count=4)
    with world.clock():
        messages.send(world, kind)
        _receive_and_die(
            world, before=Step.STATEMENTS, calls=4
        )  # secret, connection, claim, create: then nobody settles
        for _ in range(3):
            _receive_and_die(world, before=Step.WRITE, calls=0)
        [message] = world.queues.requests
        assert world.deliver(message, world.workers[0]) is None
        [untold] = world.queues.dead_letters
        assert untold.attribute(REASON) is None
        world.queues.redrive(untold)
        _receive_and_finish(world)
    assert len(world.vendor.songs) == creates


def _receive_and_die(world: World, *, before: Step, calls: int) -> None:
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
