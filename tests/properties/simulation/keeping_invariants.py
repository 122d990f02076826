"""What must hold of the recordings when a story has ended, whatever went wrong in it."""

from collections.abc import Iterator
from typing import Any, cast

from song_intake.contract.sqs_message import REASON
from song_intake.domain.reason import Reason
from song_intake.domain.recording import Keeping
from song_intake.ledger.row import Row
from tests.properties.simulation.following_world import FollowingWorld
from tests.properties.simulation.invariants import Violation
from tests.properties.simulation.stories import REQUEST_ID, TASK_TOKEN, Story


def check(world: FollowingWorld, story: Story) -> None:
    """Raises Violation."""
    if not story.recordings:
        return
    row = Row.of(cast("Any", world.scene.table.items[REQUEST_ID]))
    past = [Row.of(cast("Any", item)) for item in world.scene.table.past[REQUEST_ID]]
    for broken in (
        *_not_ended(world, story, row),
        *_not_published(world, row),
        *_not_answered(world, row, past),
        *_letters(world, story, row),
    ):
        raise Violation(broken, world)


def _not_ended(world: FollowingWorld, story: Story, row: Row) -> Iterator[str]:
    if row.keeping not in story.keeping_ends:
        yield f"8. the recordings are {row.keeping}"
    objects = world.scene.objects
    assert objects is not None
    if row.keeping is Keeping.KEPT and {one.key for one in row.recordings} != objects.writes.keys():
        yield "8. the row does not have the recordings"
    if any(count > 1 for count in objects.writes.values()):
        yield "8. an object was written twice"


def _not_published(world: FollowingWorld, row: Row) -> Iterator[str]:
    kind = "Song Kept" if row.keeping is Keeping.KEPT else "Song Not Kept"
    events = [event for event in world.scene.bus.events if event.kind == kind]
    if not events:
        yield f"9. {kind} was never published"
    keys = [one.key for one in row.recordings]
    if any([one["key"] for one in event.detail["recordings"]] != keys for event in events):
        yield f"9. {kind} has other recordings than the row"
    if row.keeping is not Keeping.KEPT and any(event.kind == "Song Kept" for event in world.scene.bus.events):
        yield "9. Song Kept was published, and the row never said so"


def _not_answered(world: FollowingWorld, row: Row, past: list[Row]) -> Iterator[str]:
    if row.task_tokens:
        yield "10. a task waits on"
    answer = world.scene.workflows.answers.get(TASK_TOKEN)
    if answer is None or answer.error is not None:
        return
    ends = [[one.key for one in then.recordings] for then in past if then.keeping not in (None, Keeping.PENDING)]
    if [one["key"] for one in answer.detail.get("recordings", [])] not in ends:
        yield f"10. the task was answered before the recordings, by {answer}"


def _letters(world: FollowingWorld, story: Story, row: Row) -> Iterator[str]:
    reasons = {letter.attribute(REASON) for letter in world.scene.recordings.dead_letters}
    expected = {Reason.RECORDING_UNAVAILABLE} if row.keeping is Keeping.GIVEN_UP else set()
    if reasons != expected and not (story.is_redriven and row.keeping is Keeping.KEPT and not reasons):
        yield f"11. the dead letters of the recordings say {reasons}, and the row {row.keeping}"
