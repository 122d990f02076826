"""Notifies every consumer by an event, and a workflow that waits for its song by a callback."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.outgoing.events import EventPublisher, EventType, SongEvent

if TYPE_CHECKING:
    from song_intake.contract.song_request import SongRequest
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import DeadLetter
    from song_intake.domain.task import Clip
    from song_intake.ledger.row import Row
    from song_intake.outgoing.callback import TaskCallback

# A song may exist, so a waiting task must not fail for these reasons.
_OUTCOME_OPEN = frozenset((Reason.OUTCOME_UNKNOWN, Reason.TASK_NOT_RECORDED))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Notifier:
    """Safe to share between threads. Every method raises SideEffectFailed."""

    publisher: EventPublisher
    callback: TaskCallback

    def publish_submitted(self, task_id: str, request: SongRequest) -> None:
        """Publish that the music API accepted the request as this task."""
        self.publisher.publish(
            SongEvent(
                EventType.SUBMITTED, request.request_id, dedup_key=task_id, task_id=task_id, metadata=request.metadata
            )
        )

    def publish_dead_letter(
        self, letter: DeadLetter, message: Message, request_id: str | None, request: SongRequest | None
    ) -> None:
        """Publish a dead letter, and fail the task that waits for the song, unless a song may exist.

        request: None if the message is not a valid request.
        """
        event = SongEvent(
            EventType.IN_DOUBT if letter.reason in _OUTCOME_OPEN else EventType.REJECTED,
            request_id,
            dedup_key=message.delivery_id,
            task_id=letter.task_id,
            reason=letter.reason,
            detail=letter.detail,
            vendor_code=letter.vendor_code,
            metadata=request.metadata if request else {},
        )
        self.publisher.publish(event)
        if request and request.task_token and event.event_type is EventType.REJECTED:
            self.callback.failed(request.task_token, event)

    def publish_end(self, row: Row) -> None:
        """Publish how a song ended. Only the row counts: a later poll may return another status."""
        if row.submission_unpublished:
            self.publisher.publish(_event_of(row, EventType.SUBMITTED))
        succeeded = row.status is Status.SUCCEEDED
        event = _event_of(row, EventType.SUCCEEDED, clips=row.clips) if succeeded else _failure(row)
        self.publisher.publish(event)
        if row.task_token:
            call_back = self.callback.succeeded if succeeded else self.callback.failed
            call_back(row.task_token, event)

    def publish_row(self, row: Row, event_type: EventType, reason: Reason, detail: str) -> None:
        """Publish an event about a row: an operator resolved it, or it is no longer tracked."""
        event = _event_of(row, event_type, reason=reason, detail=detail)
        if event_type is EventType.IN_DOUBT:
            # A song may be given up twice: only the same reason is a repeat.
            event = replace(event, dedup_key=f"{event.dedup_key}/{reason}")
        self.publisher.publish(event)
        if row.task_token and event_type is EventType.REJECTED:
            self.callback.failed(row.task_token, event)


def _failure(row: Row) -> SongEvent:
    return _event_of(
        row,
        EventType.FAILED,
        reason=Reason(row.reason) if row.reason else None,
        vendor_code=row.vendor_code,
        refunded=row.refunded,
    )


def _event_of(
    row: Row,
    event_type: EventType,
    *,
    reason: Reason | None = None,
    detail: str | None = None,
    vendor_code: str | None = None,
    refunded: bool | None = None,
    clips: tuple[Clip, ...] = (),
) -> SongEvent:
    return SongEvent(
        event_type,
        row.request_id,
        dedup_key=row.task_id or row.message_id or "-",
        task_id=row.task_id,
        reason=reason,
        detail=detail,
        vendor_code=vendor_code,
        refunded=refunded,
        metadata=row.metadata,
        clips=clips,
    )
