"""Tells a story once for every point and everything that can go wrong there, and once more for every second death.

A death before a call that only reads leaves what a death before the next call leaves, so of pairs it is left out. In a
campaign (profile.py) a death follows every other fault too, and where a webhook is never repeated. The suite tells
every second pair.
"""

import pickle
from collections.abc import Iterator, Mapping
from functools import cache

from tests.properties.simulation import following_invariants, keeping_invariants
from tests.properties.simulation.faults import FAULTS_OF_FOLLOWING, Fault, Step
from tests.properties.simulation.following_functions import SHIPPED, Parts
from tests.properties.simulation.following_world import FollowingWorld, Scene
from tests.properties.simulation.invariants import Violation
from tests.properties.simulation.invocation import Decide
from tests.properties.simulation.profile import IS_CAMPAIGN
from tests.properties.simulation.recordings import Objects
from tests.properties.simulation.stories import LINK, Story
from tests.properties.simulation.webhooks import Courier

MOST_POINTS = 300
READS = frozenset((Step.SECRET, Step.KEY, Step.CONNECT, Step.READ))

Plan = Mapping[int, Fault]
"""What goes wrong at which point, counted from 0."""


def prove(story: Story, parts: Parts = SHIPPED) -> int:
    """How many tellings it took. Raises Violation for one whose end is wrong."""
    return sum(1 for _ in _tellings(story, parts))


def _tellings(story: Story, parts: Parts) -> Iterator[list[Step]]:
    calm = tell(story, parts, {})
    yield calm
    for first, fault in _faults(calm):
        once_harmed = tell(story, parts, {first: fault})
        yield once_harmed
        if IS_CAMPAIGN or (story.vendor_repeats and fault is Fault.DEATH and calm[first] not in READS):
            for second in range(first + 1, len(once_harmed)):
                if once_harmed[second] not in READS and (IS_CAMPAIGN or (first + second) % 2):
                    yield tell(story, parts, {first: fault, second: Fault.DEATH})


def _faults(points: list[Step]) -> Iterator[tuple[int, Fault]]:
    for number, step in enumerate(points):
        yield from ((number, fault) for fault in FAULTS_OF_FOLLOWING[step])


def tell(story: Story, parts: Parts, plan: Plan) -> list[Step]:
    """The points of the story as it goes by this plan. Raises Violation."""
    points: list[Step] = []

    def decide(step: Step) -> Fault | None:
        points.append(step)
        if len(points) > MOST_POINTS:
            raise Violation("1. the story does not end", world)
        return plan.get(len(points) - 1)

    world = FollowingWorld(begun(story), parts, decide)
    with world.clock():
        go_on(world, decide)
        if story.is_redriven:
            world.redrive()
            go_on(world, decide)
        following_invariants.check(world, story)
        keeping_invariants.check(world, story)
    return points


def begun(story: Story) -> Scene:
    """As it stands where something may go wrong, anew for each telling."""
    scene: Scene = pickle.loads(_begun(story))  # noqa: S301 - what the line before wrote
    return scene


@cache
def _begun(story: Story) -> bytes:
    scene = Scene(Courier(story.vendor_repeats))
    if story.recordings:
        scene.objects = Objects({LINK: list(story.recordings)})
    world = FollowingWorld(scene, SHIPPED)
    world.scene.vendor.words = list(story.words)
    with world.clock():
        story.begin(world)
    return pickle.dumps(world.scene)


def go_on(world: FollowingWorld, decide: Decide) -> None:
    """Until nothing comes any more."""
    while (running := world.next()) is not None:
        while (step := running.at) is not None:
            world.resume(running, decide(step))
