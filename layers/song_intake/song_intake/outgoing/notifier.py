"""Notifies every consumer by an event, and each workflow that waits for its song by a callback."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.domain.recording import Keeping
from song_intake.domain.status import Status
from song_intake.ledger.notified import Notified
from song_intake.outgoing.events import EventPublisher, EventType, SongEvent

if TYPE_CHECKING:
    from song_intake.contract.song_request import SongRequest
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import DeadLetter, RequestContext
    from song_intake.domain.task import Clip
    from song_intake.ledger.row import Row
    from song_intake.outgoing.callback import TaskCallback

# A song may exist, so a waiting task must not fail for these reasons.
_OUTCOME_OPEN = frozenset((Reason.OUTCOME_UNKNOWN, Reason.TASK_NOT_RECORDED))

# The message is at fault. A request of the same id may be on its way to a song.
_ABOUT_THE_MESSAGE = frozenset((Reason.INVALID_REQUEST, Reason.REQUEST_ID_REUSED))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Notifier:
    """Safe to share between threads. A method that returns nothing raises SideEffectFailed."""

    publisher: EventPublisher
    callback: TaskCallback

    def publish(self, event: SongEvent) -> None:
        """Publish one event."""
        self.publisher.publish(event)

    def publish_submitted(self, task_id: str, request_id: str, origin: RequestContext) -> None:
        """Publish that the music API accepted the request as this task."""
        self.publish(
            SongEvent(
                EventType.SUBMITTED,
                request_id,
                dedup_key=task_id,
                task_id=task_id,
                metadata=origin.metadata,
                message_id=origin.message_id,
                trace=origin.trace,
            )
        )

    def fail_task(self, task_token: str, event: SongEvent) -> None:
        """Fail one waiting task with this event."""
        self.callback.failed(task_token, event)

    def answer_task(self, task_token: str, row: Row) -> None:
        """Complete one waiting task by the final status of the row, and with the recordings that are copied."""
        event = _end_of(row)
        if row.keeping is not None:
            event = replace(event, recordings=row.recordings)
        answer = self.callback.succeeded if event.event_type is EventType.SUCCEEDED else self.callback.failed
        answer(task_token, event)

    def publish_end(
        self, row: Row, order: Callable[[], None] | None = None
    ) -> tuple[Notified, SideEffectFailed | None]:
        """Publish how a request ended, and answer its tasks: what was done, and the first failure of the rest.

        Only the row counts: a later poll may return another status. What the row has as done is not repeated.
        order: has the recordings copied, whose end then answers the tasks; None: nobody copies them.
        """
        steps = _Steps()
        submission = row.submission_unpublished and steps.is_done(lambda: self.publish(_submission_of(row)))
        end = not row.end_published and steps.is_done(lambda: self.publish(_end_of(row)))
        published_at = time.time() if end else None
        ordered = False
        answered: tuple[str, ...] = ()
        if order is not None and row.awaits_recordings:
            ordered = not row.keeping_ordered and steps.is_done(order)
        else:
            answered = self._answered(row, steps)
        return Notified(submission, end, ordered, answered, published_at), steps.failure

    def publish_keeping(self, row: Row) -> tuple[Notified, SideEffectFailed | None]:
        """The same for the end of the copying of a song's recordings."""
        steps = _Steps()
        end = not row.keeping_published and steps.is_done(lambda: self.publish(_keeping_of(row)))
        return Notified(end=end, answered=self._answered(row, steps)), steps.failure

    def _answered(self, row: Row, steps: _Steps) -> tuple[str, ...]:
        return tuple(token for token in row.task_tokens if steps.is_done(partial(self.answer_task, token, row)))

    def publish_doubt(self, row: Row, reason: Reason, detail: str) -> None:
        """Publish that a song is no longer tracked."""
        event = _event_of(row, EventType.IN_DOUBT, reason=reason, detail=detail)
        # A song may be given up twice: only the same reason is a repeat.
        self.publish(replace(event, dedup_key=f"{event.dedup_key}/{reason}"))


class _Steps:
    """Runs each step although another one failed."""

    def __init__(self) -> None:
        self.failure: SideEffectFailed | None = None
        """The first one."""

    def is_done(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except SideEffectFailed as failure:
            self.failure = self.failure or failure
            return False
        return True


def event_of_letter(
    letter: DeadLetter, message: Message, request_id: str | None, request: SongRequest | None
) -> SongEvent:
    """The event of a dead letter. request: None if the message is not a valid request."""
    if letter.reason in _OUTCOME_OPEN:
        event_type = EventType.IN_DOUBT
    elif request is None or letter.reason in _ABOUT_THE_MESSAGE:
        event_type = EventType.MESSAGE_REJECTED
    else:
        event_type = EventType.REJECTED
    return SongEvent(
        event_type,
        request_id,
        dedup_key=message.delivery_id,
        task_id=letter.task_id,
        reason=letter.reason,
        detail=letter.detail,
        vendor_code=letter.vendor_code,
        metadata=request.metadata if request else None,
        message_id=message.first_message_id,
        trace=message.trace,
    )


def _submission_of(row: Row) -> SongEvent:
    return replace(_event_of(row, EventType.SUBMITTED), by=row.named_by)


def _end_of(row: Row) -> SongEvent:
    if row.status is Status.SUCCEEDED:
        return _event_of(row, EventType.SUCCEEDED, clips=row.clips)
    reason = Reason(row.reason) if row.reason else None
    if row.status is Status.FAILED:
        failed = _event_of(row, EventType.FAILED, reason=reason)
        return replace(failed, vendor_code=row.vendor_code, refunded=row.refunded)
    rejected = _event_of(row, EventType.REJECTED, reason=reason, detail=row.detail)
    if reason is Reason.CANCELLED:
        # The row may name a message whose own rejection was published.
        return replace(rejected, dedup_key=reason, by=row.resolved_by)
    by = row.resolved_by if reason is Reason.NOT_CREATED else None
    return replace(rejected, vendor_code=row.vendor_code, by=by)


def _keeping_of(row: Row) -> SongEvent:
    if row.keeping is Keeping.KEPT:
        return replace(_event_of(row, EventType.KEPT), recordings=row.recordings)
    event = _event_of(row, EventType.NOT_KEPT, reason=Reason.RECORDING_UNAVAILABLE, detail=row.keeping_detail)
    # A redrive may end the same way once more, perhaps with more recordings.
    return replace(event, recordings=row.recordings, dedup_key=f"{event.dedup_key}/{row.changed_at:.3f}")


def _event_of(
    row: Row,
    event_type: EventType,
    *,
    reason: Reason | None = None,
    detail: str | None = None,
    clips: tuple[Clip, ...] = (),
) -> SongEvent:
    return SongEvent(
        event_type,
        row.request_id,
        dedup_key=row.task_id or row.message_id or "-",
        task_id=row.task_id,
        reason=reason,
        detail=detail,
        metadata=row.metadata,
        clips=clips,
        message_id=row.first_message_id,
        trace=row.trace,
    )
