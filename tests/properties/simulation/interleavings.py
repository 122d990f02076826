"""Tells a story of two checks in every order of their calls; in a campaign (profile.py), each order also with a death
of one of them at every point.
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
    """How many orders there are. Raises Violation for one whose end is wrong."""
    return sum(1 for _ in _orders(story, parts))


def _orders(story: Story, parts: Parts) -> Iterator[list[int]]:
    """Depth first: each order takes the first choices of the one before, up to the last where there is another."""
    taken: list[int] = []
    while True:
        options = _tell(story, parts, taken)
        yield taken
        taken = [*taken, *([0] * (len(options) - len(taken)))]
        while taken and taken[-1] + 1 == options[len(taken) - 1]:
            taken.pop()
        if not taken:
            return
        taken[-1] += 1


def _tell(story: Story, parts: Parts, taken: Sequence[int]) -> list[int]:
    """How many choices there were each time; past those taken, it is the first."""
    world = FollowingWorld(begun(story), parts)
    options: list[int] = []
    with world.clock():
        looks = _both_have_polled(world)
        has_died = False
        while choices := [(look, fault) for look in looks if look.at for fault in _faults(has_died)]:
            look, fault = choices[taken[len(options)] if len(options) < len(taken) else 0]
            options.append(len(choices))
            has_died = has_died or fault is not None
            world.resume(look, fault)
        _nothing_goes_wrong_any_more(world)
        following_invariants.check(world, story)
    return options


def _both_have_polled(world: FollowingWorld) -> list[Running]:
    """Polls change nothing, so their order matters only for who hears which word."""
    first, second = list(world.scene.checks.requests)
    world.scene.now = max(first.visible_at, second.visible_at)
    return [_polled(world, first), _polled(world, second)]


def _polled(world: FollowingWorld, check: QueuedMessage) -> Running:
    look = world.look(check)
    while look.at is not Step.WRITE:
        world.resume(look)
    return look


def _faults(has_died: bool) -> tuple[Fault | None, ...]:  # noqa: FBT001
    return (None, Fault.DEATH) if IS_CAMPAIGN and not has_died else (None,)


def _nothing_goes_wrong_any_more(world: FollowingWorld) -> None:
    while (running := world.next()) is not None:
        while running.at is not None:
            world.resume(running)
