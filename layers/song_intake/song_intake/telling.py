"""Who is told of what becomes of a request: everybody by an event, and the workflow that waits for it by a callback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.announcements import Announcement, Announcer, Happening
from song_intake.ledger_row import Row, Status
from song_intake.reason import Reason

if TYPE_CHECKING:
    from song_intake.callback import Callback
    from song_intake.decision import DeadLetter
    from song_intake.message import Message
    from song_intake.song_request import SongRequest
    from song_intake.task_state import Clip

# These leave it open whether there is a song; nobody who waits for it is told that there is none.
_OPEN = frozenset((Reason.OUTCOME_UNKNOWN, Reason.TASK_NOT_RECORDED))


@dataclass(frozen=True, slots=True)
class Telling:
    """Safe to share between threads. Every method raises Undone where somebody could not be told."""

    announcer: Announcer
    callback: Callback

    def of_submission(self, task_id: str, request: SongRequest) -> None:
        self.announcer.announce(
            Announcement(
                Happening.SUBMITTED, request.request_id, occasion=task_id, task_id=task_id, metadata=request.metadata
            )
        )

    def of_dead_letter(
        self, letter: DeadLetter, message: Message, request_id: str | None, request: SongRequest | None
    ) -> None:
        """`request` is None where the message could not be read as one."""
        announcement = Announcement(
            Happening.IN_DOUBT if letter.reason in _OPEN else Happening.REJECTED,
            request_id,
            occasion=message.message_id,
            task_id=letter.task_id,
            reason=letter.reason,
            detail=letter.detail,
            vendor_code=letter.vendor_code,
            metadata=request.metadata if request else {},
        )
        self.announcer.announce(announcement)
        if request and request.task_token and announcement.happening is Happening.REJECTED:
            self.callback.failed(request.task_token, announcement)

    def of_end(self, row: Row) -> None:
        """How a song ended, by its row alone: a later poll may say something else."""
        if row.unannounced:
            self.announcer.announce(_about(row, Happening.SUBMITTED))
        succeeded = row.status is Status.SUCCEEDED
        announcement = _about(row, Happening.SUCCEEDED, clips=row.clips) if succeeded else _failure(row)
        self.announcer.announce(announcement)
        if row.task_token:
            answer = self.callback.succeeded if succeeded else self.callback.failed
            answer(row.task_token, announcement)

    def of_row(self, row: Row, happening: Happening, reason: Reason, detail: str) -> None:
        """A row that an operator settled, or that is not followed any more."""
        announcement = _about(row, happening, reason=reason, detail=detail)
        self.announcer.announce(announcement)
        if row.task_token and happening is Happening.REJECTED:
            self.callback.failed(row.task_token, announcement)


def _failure(row: Row) -> Announcement:
    return _about(
        row,
        Happening.FAILED,
        reason=Reason(row.reason) if row.reason else None,
        vendor_code=row.vendor_code,
        refunded=row.refunded,
    )


def _about(
    row: Row,
    happening: Happening,
    *,
    reason: Reason | None = None,
    detail: str | None = None,
    vendor_code: str | None = None,
    refunded: bool | None = None,
    clips: tuple[Clip, ...] = (),
) -> Announcement:
    return Announcement(
        happening,
        row.request_id,
        occasion=row.task_id or row.message_id or "-",
        task_id=row.task_id,
        reason=reason,
        detail=detail,
        vendor_code=vendor_code,
        refunded=refunded,
        metadata=row.metadata,
        clips=clips,
    )
