"""Runs a story of two checks in every order of their calls. In a campaign (profile.py), each order also runs with a
crash of one of them before every call.
"""

from collections.abc import Iterator, Sequence

from tests.properties.simulation import following_invariants
from tests.properties.simulation.crash_points import begun
from tests.properties.simulation.faults import Fault, Step
from tests.properties.simulation.following_functions import SHIPPED, Parts
from tests.properties.simulation.following_world import FollowingWorld, Running
from tests.properties.simulation.profile import IS_CAMPAIGN
from tests.properties.simulation.queues import QueuedMessage
from tests.properties.simulation.stories import Story


def prove(story: Story, parts: Parts = SHIPPED) -> int:
    """Run all orders, and return their number. Raises Violation if the end of one is wrong."""
    return sum(1 for _ in _orders(story, parts))


def _orders(story: Story, parts: Parts) -> Iterator[list[int]]:
    """Depth first: each order repeats the choices of the previous one, and changes the last that has another option."""
    chosen: list[int] = []
    while True:
        options = _run(story, parts, chosen)
        yield chosen
        chosen = [*chosen, *([0] * (len(options) - len(chosen)))]
        while chosen and chosen[-1] + 1 == options[len(chosen) - 1]:
            chosen.pop()
        if not chosen:
            return
        chosen[-1] += 1


def _run(story: Story, parts: Parts, chosen: Sequence[int]) -> list[int]:
    """The number of options at each step. After the given choices, the first option is chosen."""
    world = FollowingWorld(begun(story), parts)
    options: list[int] = []
    with world.clock():
        polls = _both_have_polled(world)
        has_crashed = False
        while choices := [(poll, fault) for poll in polls if poll.at for fault in _faults(has_crashed)]:
            poll, fault = choices[chosen[len(options)] if len(options) < len(chosen) else 0]
            options.append(len(choices))
            has_crashed = has_crashed or fault is not None
            world.resume(poll, fault)
        _finish_without_faults(world)
        following_invariants.check(world, story)
    return options


def _both_have_polled(world: FollowingWorld) -> list[Running]:
    """Polls and the write of the hint change nothing, so their order only decides which check gets which response."""
    first, second = list(world.scene.checks.requests)
    world.scene.now = max(first.visible_at, second.visible_at)
    return [_polled(world, first), _polled(world, second)]


def _polled(world: FollowingWorld, check: QueuedMessage) -> Running:
    poll = world.look(check)
    passed: set[Step | None] = set()
    while Step.POLL not in passed or poll.at is not Step.WRITE:
        passed.add(poll.at)
        world.resume(poll)
    return poll


def _faults(has_crashed: bool) -> tuple[Fault | None, ...]:  # noqa: FBT001
    return (None, Fault.DEATH) if IS_CAMPAIGN and not has_crashed else (None,)


def _finish_without_faults(world: FollowingWorld) -> None:
    while (running := world.next()) is not None:
        while running.at is not None:
            world.resume(running)
