"""The invariants that hold after every step of every schedule, and those that hold at its end."""

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Protocol

from song_intake.admission.budget_item import BUDGET_KEY
from song_intake.contract.sqs_message import REASON, REQUEST_ID, TASK_ID
from song_intake.domain.reason import CLOSING, Reason
from song_intake.domain.status import Status
from song_intake.ledger.row import Row
from tests.properties.simulation.expressions import Item
from tests.properties.simulation.faults import Step
from tests.properties.simulation.queues import QueuedMessage, Sent
from tests.properties.simulation.world import LEASE, World

_TASK_KNOWN = (Status.SUBMITTED, Status.SUCCEEDED, Status.FAILED)
_A_SONG_MAY_EXIST = (Status.SUBMITTING, Status.IN_DOUBT, *_TASK_KNOWN)


class Traced(Protocol):
    @property
    def trace(self) -> list[str]: ...


class Violation(AssertionError):
    """An invariant is broken. The message contains the schedule that broke it."""

    def __init__(self, invariant: str, world: Traced) -> None:
        self.invariant = invariant
        super().__init__("\n  ".join([invariant, *world.trace]))


def check(world: World) -> None:
    """Check the invariants that always hold. Raises Violation."""
    moment = _Moment(world)
    for broken in moment.broken():
        raise Violation(broken, world)


def check_settled(world: World) -> None:
    """Check invariant 7 once the queue is empty. A claim may only stay open if a dead letter reports it."""
    if world.queues.requests:
        raise Violation("7. a message is still on its queue", world)
    for event in world.bus.not_as_published():
        raise Violation(f"7. the schema of events does not have {event}", world)
    moment = _Moment(world)
    for row in moment.rows.values():
        if row.status is Status.SUBMITTING and not any(moment.reports(row, letter) for letter in moment.letters):
            raise Violation(f"7. {row.request_id} is still SUBMITTING", world)
        is_tracked = row.task_id in world.queues.checked and world.bus.has(row.task_id, "Song Submitted")
        has_letter = any(_is_of(row, letter) for letter in moment.letters)
        if row.status is Status.SUBMITTED and not is_tracked and not has_letter:
            raise Violation(f"7. the song of {row.request_id} is not tracked, or not published", world)


def _is_of(row: Row, letter: QueuedMessage) -> bool:
    return letter.sent.request_id == row.request_id


def _is_closed(item: Item) -> bool:
    return item.get("status") == {"S": Status.REJECTED} and item.get("reason", {}).get("S") in CLOSING


def check_redriven(world: World) -> None:
    """Check the end of a redrive of all dead letters without faults: each request has its song, or is in doubt.

    A message that SQS moved may need two: it may have been given up before, by a function that crashed before it sent
    the dead letter. The first redrive then sends that letter.
    """
    moment = _Moment(world)
    without_reason = {letter.sent.request_id for letter in moment.letters if letter.attribute(REASON) is None}
    for sent in world.sent:
        row = moment.rows.get(sent.request_id)
        is_settled = row is not None and (row.is_closed or row.status in (Status.IN_DOUBT, *_TASK_KNOWN))
        is_expired = sent.not_after is not None and sent.not_after < world.now
        if sent.valid and not is_settled and not is_expired and sent.request_id not in without_reason:
            raise Violation(f"5. redriving {sent.name} has left it {row.status if row else 'without a row'}", world)
    for letter in moment.letters:
        if letter.attribute(TASK_ID) is not None:
            raise Violation(f"5. redriving the task_id of {letter.sent.name} has not recorded it", world)


def check_nothing_went_wrong(world: World) -> None:
    """Check invariant 6 without faults: each valid request has its song, and only invalid ones have a dead letter."""
    moment = _Moment(world)
    for letter in moment.letters:
        if letter.sent.valid and letter.attribute(REASON) != Reason.REQUEST_ID_REUSED:
            raise Violation(f"6. {letter.sent.name} is a dead letter: {letter.attribute(REASON)}", world)
    for sent in world.sent:
        row = moment.rows.get(sent.request_id)
        if sent.valid and (row is None or row.status is not Status.SUBMITTED):
            raise Violation(f"6. {sent.name} has no song", world)


class _Moment:
    """The current state of the world. Each method yields the invariants that it breaks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.letters = world.queues.dead_letters
        self.rows = world.table.rows()
        self._songs = defaultdict[str, set[str]](set)
        for sent in world.sent:
            self._songs[sent.request_id].add(sent.song)

    def broken(self) -> Iterator[str]:
        yield from self._paid_twice()
        yield from self._lost()
        yield from self._moved_without_need()
        yield from self._unreal()
        yield from self._forgotten()
        yield from self._unrecorded()
        yield from self._unfair()
        yield from self._over_budget()
        yield from self._created_in_spite()
        yield from self._reopened()

    def _paid_twice(self) -> Iterator[str]:
        for request_id, songs in self._songs.items():
            if self._world.vendor.charged(songs) > 1:
                yield f"1. {request_id} was created twice"

    def _over_budget(self) -> Iterator[str]:
        limit = self._world.parts.creates_per_day_and_sender
        if not limit:
            return
        items = self._world.table.items
        used = {key: int(str(item["used"]["N"])) for key, item in items.items() if key.startswith(BUDGET_KEY)}
        yield from (f"9. {count} creates are counted in {key}" for key, count in used.items() if count > limit)
        vendor = self._world.vendor
        if len(vendor.songs) + len(vendor.late) > sum(used.values()):
            yield "9. more is created than counted"

    def _lost(self) -> Iterator[str]:
        for sent in self._world.sent:
            if not (self._is_on_its_way(sent) or self._has_its_song(sent)):
                yield f"2. {sent.name} is neither on a queue nor SUBMITTED"

    def _moved_without_need(self) -> Iterator[str]:
        for message in self._world.moved_without_need:
            yield f"2. {message.message_id} was moved by SQS, without a reason, although its last receive had no fault"

    def _forgotten(self) -> Iterator[str]:
        for request_id, songs in self._songs.items():
            row = self.rows.get(request_id)
            if self._world.vendor.charged(songs) and (row is None or row.status not in _A_SONG_MAY_EXIST):
                yield f"3. the song of {request_id} is forgotten: {row.status if row else 'no row'}"

    def _unrecorded(self) -> Iterator[str]:
        """A task_id that arrived is on its row or on a dead letter, unless the process crashed or the queue failed."""
        messages = (*self.letters, *self._world.queues.requests)
        for handling in self._world.history:
            song = self._world.vendor.answered.get(handling.delivery.receipt_handle)
            has_failed = handling.invocation.response is None or any(step is Step.LETTER for step, _ in handling.faults)
            if song is None or not handling.invocation.is_over or has_failed:
                continue
            row = self.rows.get(handling.delivery.sent.request_id)
            is_on_a_letter = any(message.attribute(TASK_ID) == song.task_id for message in messages)
            if (row is None or row.task_id != song.task_id) and not is_on_a_letter:
                yield f"3. {song.task_id} of {handling.delivery.sent.name} is not recorded"

    def _unreal(self) -> Iterator[str]:
        real = {(song.task_id, self._world.fingerprints[song.title]) for song in self._world.vendor.songs}
        for row in self.rows.values():
            if row.status in _TASK_KNOWN and (row.task_id, row.fingerprint) not in real:
                yield f"4. {row.request_id} is {row.status} with the task {row.task_id}, which is not its own"

    def _unfair(self) -> Iterator[str]:
        """The part of invariant 6 that holds with any faults: the reason of each dead letter is true."""
        for letter in self.letters:
            sent = letter.sent
            match letter.attribute(REASON):
                case Reason.INVALID_REQUEST if sent.valid:
                    yield f"6. {sent.name} is valid, but was rejected as invalid"
                case Reason.RETRIES_EXHAUSTED if self._most_receives(sent) < self._world.final_receive:
                    yield f"6. {sent.name} was given up before its final receive"
                case Reason.EXPIRED if not self._may_be_expired(sent):
                    yield f"6. {sent.name} was in time"
                case Reason.CANCELLED if sent.request_id not in self._world.cancelled:
                    yield f"6. {sent.request_id} was not cancelled"
                case Reason.REQUEST_ID_REUSED if len(self._songs[sent.request_id]) == 1:
                    yield f"6. no other song used the request_id of {sent.name}"
                case _:
                    pass

    def _may_be_expired(self, sent: Sent) -> bool:
        """Whether a message of its request has expired by the clock that is the most ahead."""
        deadlines = [one.not_after for one in self._world.sent if one.request_id == sent.request_id]
        return any(one is not None and one < self._world.now + LEASE + 1 for one in deadlines)

    def _created_in_spite(self) -> Iterator[str]:
        for number, (delivery, at) in enumerate(self._world.vendor.begun):
            sent = delivery.sent
            if number >= self._world.cancelled.get(sent.request_id, math.inf):
                yield f"8. {sent.request_id} was cancelled, and a create began after that"
            if sent.not_after is not None and at > sent.not_after:
                yield f"9. a create of {sent.name} began after its not_after"
        for request_id in self._world.cancelled:
            row = self.rows.get(request_id)
            if row is None or not row.is_closed or row.reason != Reason.CANCELLED:
                yield f"8. {request_id} was cancelled, and its row is {row}"

    def _reopened(self) -> Iterator[str]:
        for request_id, row in self.rows.items():
            closed = [_is_closed(item) for item in self._world.table.past.get(request_id, ())]
            if any(closed) and not (row.is_closed and all(closed[closed.index(True) :])):
                yield f"8. {request_id} was cancelled or had expired, and is {row.status} again"

    def reports(self, row: Row, letter: QueuedMessage) -> bool:
        """Whether the letter has the task of the open claim, or its redrive will find the claim and make it IN_DOUBT.

        The second happens to a message that was given up on its very last receive while another delivery held the
        claim, to a message that SQS moved, and to a claim whose write arrived after the end of the message.
        """
        if letter.sent.request_id != row.request_id:
            return False
        if letter.was_moved:
            return True
        is_last_receive = letter.attribute("receive_count") == str(self._world.queues.max_receive_count)
        is_found_again = letter.attribute(REQUEST_ID) == row.request_id
        return letter.attribute(TASK_ID) is not None or (
            is_found_again and (is_last_receive or self._world.dynamodb.has_landed_late)
        )

    def _most_receives(self, sent: Sent) -> int:
        """The most receives of one of its messages: a redrive may repeat the dead letter of one that was given up."""
        return max(
            handling.delivery.receive_count for handling in self._world.history if handling.delivery.sent is sent
        )

    def _is_on_its_way(self, sent: Sent) -> bool:
        """Whether it is on its queue, or a dead letter that has a reason or was moved by SQS."""
        return any(message.sent is sent for message in self._world.queues.requests) or any(
            letter.sent is sent and (letter.attribute(REASON) is not None or letter.was_moved)
            for letter in self.letters
        )

    def _has_its_song(self, sent: Sent) -> bool:
        row = self.rows.get(sent.request_id)
        if row is None or row.status not in _TASK_KNOWN:
            return False
        return row.fingerprint == self._world.fingerprints.get(sent.song)
