"""What must hold when a story has ended, whatever went wrong in it."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from song_intake.contract.sqs_message import REASON
from song_intake.domain.reason import Reason
from song_intake.domain.status import FINAL, Status
from tests.properties.simulation.bus import Event
from tests.properties.simulation.expressions import Item
from tests.properties.simulation.following_world import FollowingWorld
from tests.properties.simulation.invariants import Violation
from tests.properties.simulation.queues import Queues
from tests.properties.simulation.stories import (
    CLIP,
    IN_DOUBT,
    NO_ROW,
    REQUEST_ID,
    TASK_TOKEN,
    End,
    Story,
)

_OF_AN_END = frozenset(("Song Succeeded", "Song Failed"))
_ANNOUNCED_AS = {Status.SUCCEEDED: "Song Succeeded", Status.FAILED: "Song Failed"}


def check(world: FollowingWorld, story: Story) -> None:
    """Raises Violation."""
    for broken in _Ended(world, story).broken():
        raise Violation(broken, world)


class _Ended:
    """Each method yields what is broken."""

    def __init__(self, world: FollowingWorld, story: Story) -> None:
        self._world = world
        self._story = story
        self._row: Item = world.scene.table.items.get(REQUEST_ID, {})
        self._end = _end_of(self._row)
        self._past = [_end_of(item) for item in world.scene.table.past.get(REQUEST_ID, [])]
        """Every status of the row, the last one too, with its reason."""
        items = [self._row, *world.scene.table.past.get(REQUEST_ID, [])]
        self._has_waiting_task = any("task_tokens" in item for item in items)
        self._events = defaultdict[str, list[Event]](list)
        for event in world.scene.bus.events:
            self._events[event.kind].append(event)

    def broken(self) -> Iterator[str]:
        yield from self._not_ended()
        yield from self._not_told()
        yield from self._contradicting()
        yield from self._not_answered()
        yield from self._without_letter()
        yield from self._needless_letter()

    def _not_ended(self) -> Iterator[str]:
        if self._end not in self._story.ends:
            yield f"2. the row says {self._end}"
        if any(one.status is Status.SUCCEEDED != then.status for one, then in pairwise(self._past)):
            yield "2. a success was replaced"
        if self._end.status is Status.SUCCEEDED and CLIP not in str(self._row["clips"]):
            yield "2. the row does not have the clips"

    def _not_told(self) -> Iterator[str]:
        if self._end.status not in FINAL:
            return
        for kind in ("Song Submitted", _ANNOUNCED_AS[self._end.status]):
            if not self._events[kind]:
                yield f"3. {kind} was never announced"

    def _contradicting(self) -> Iterator[str]:
        for kind in _OF_AN_END:
            reasons = {one.reason for one in self._past if one.status and _ANNOUNCED_AS.get(one.status) == kind}
            for event in self._events[kind]:
                clips = [clip["clip_id"] for clip in event.detail["clips"]]
                if event.detail.get("reason") not in reasons or clips != [CLIP] * (kind == "Song Succeeded"):
                    yield f"4. {kind} was published, and the row never said so: {event.detail}"
        for event in self._events["Song In Doubt"]:
            if event.detail.get("reason") not in {one.reason for one in self._past}:
                yield f"4. Song In Doubt was published, and the row never said so: {event.detail}"
        for event in self._world.scene.bus.not_as_published():
            yield f"4. the schema of events does not have {event}"
        yield from self._badly_repeated()

    def _badly_repeated(self) -> Iterator[str]:
        by_id = defaultdict[str, list[Event]](list)
        for event in self._world.scene.bus.events:
            by_id[event.detail["id"]].append(event)
        for event_id, events in by_id.items():
            if any(event != events[0] for event in events):
                yield f"4. the repeats of {event_id} differ"
        for kind in _OF_AN_END | {"Song Submitted"}:
            if len({event.detail["id"] for event in self._events[kind]}) > 1:
                yield f"4. {kind} has more than one id"

    def _not_answered(self) -> Iterator[str]:
        if not self._has_waiting_task:
            return
        answer = self._world.scene.workflows.answers.get(TASK_TOKEN)
        if self._end.status not in FINAL:
            if answer is not None:
                yield "5. the task was answered before the end"
        elif answer is None:
            yield "5. the task was never answered"
        elif not any((answer.error, answer.detail.get("status")) == (one.reason, one.status) for one in self._past):
            yield f"5. the task was told {answer}"

    def _without_letter(self) -> Iterator[str]:
        is_redriven = self._story.is_redriven and not self._world.scene.checks.dead_letters
        if self._end.status is Status.SUBMITTED and self._end.reason and not is_redriven:
            yield from self._given_up(self._world.scene.checks, self._end.reason)
        if self._end == IN_DOUBT:
            yield from self._given_up(self._world.scene.requests, Reason.OUTCOME_UNKNOWN)
        if self._end == NO_ROW and Reason.NO_SUCH_REQUEST not in _reasons(self._world.scene.checks):
            yield "6. nobody was told that there is no such request"

    def _given_up(self, queues: Queues, reason: Reason) -> Iterator[str]:
        if reason not in _reasons(queues):
            yield f"6. it has no dead letter with {reason}"
        if not any(event.detail.get("reason") == reason for event in self._events["Song In Doubt"]):
            yield f"6. {reason} was never announced"

    def _needless_letter(self) -> Iterator[str]:
        """One that was written may be overtaken by a better end; what is left after a redrive must be so now."""
        at_any_time = {Reason.OUTCOME_UNKNOWN, *(end.reason for end in self._story.ends), *self._story.letters}
        may_be = {self._end.reason} if self._story.is_redriven else at_any_time
        for queues in (self._world.scene.requests, self._world.scene.checks):
            if needless := _reasons(queues) - may_be:
                yield f"7. a dead letter says {needless}, and the row says {self._end}"


def _end_of(row: Item) -> End:
    status, reason = (str(row[name]["S"]) if name in row else None for name in ("status", "reason"))
    return End(Status(status), Reason(reason) if reason else None) if status else NO_ROW


def _reasons(queues: Queues) -> set[str | None]:
    return {letter.attribute(REASON) for letter in queues.dead_letters}
