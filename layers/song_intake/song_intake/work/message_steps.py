"""The steps that follow the decision about a request's message. Each of them has a name, under which it is remembered.

    Done          check of the song, Song Submitted, task token
    DeadLetter    dead letter, event, task token

A task token is added to the row, so that the end of the song answers it; or its task is completed at once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.domain.decision import DeadLetter, Done, RequestContext, SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.domain.status import FINAL, Status
from song_intake.ledger.table import LedgerUnavailable, Written
from song_intake.ledger.task_tokens import MOST_TASK_TOKENS, TaskTokens
from song_intake.outgoing.checks import SongCheck
from song_intake.outgoing.events import EventType, SongEvent
from song_intake.outgoing.notifier import event_of_letter

if TYPE_CHECKING:
    from song_intake.contract.song_request import SongRequest
    from song_intake.ledger.row import Row
    from song_intake.outgoing.checks import SongChecks
    from song_intake.outgoing.dead_letters import DeadLetters
    from song_intake.outgoing.notifier import Notifier
    from song_intake.outgoing.telemetry import RecordReport

Steps = dict[str, Callable[[], None]]

_SUBMITTED = "event SUBMITTED"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MessageSteps:
    """Safe to share between threads. Every step raises SideEffectFailed."""

    checks: SongChecks
    notifier: Notifier
    dead_letters: DeadLetters
    task_tokens: TaskTokens

    def after(self, report: RecordReport, failed: Set[str]) -> Steps:
        """The steps by name, in order. failed: the names of those that failed on an earlier delivery of the message."""
        match report.decision:
            case Done() if report.request is not None:
                return self._after_done(report, report.decision, report.request, failed)
            case DeadLetter():
                return self._after_letter(report, report.decision)
            case _:
                return {}

    def _after_done(self, report: RecordReport, done: Done, request: SongRequest, failed: Set[str]) -> Steps:
        """Of a duplicate too: the first delivery may have crashed."""
        steps: Steps = {}
        task_id, message = done.task_id, report.message
        if task_id is not None and done.ended is None:
            trace_id = done.trace.trace_id if done.trace else None
            check = SongCheck(request.request_id, task_id, time.time(), trace_id=trace_id)
            steps["check"] = lambda: self.checks.schedule(check)
        first = RequestContext(message.first_message_id, request.metadata, done.trace)
        origin = done.origin if done.duplicate else first
        is_due = done.ended is None or _SUBMITTED in failed
        if task_id is not None and origin is not None and is_due:
            steps[_SUBMITTED] = lambda: self.notifier.publish_submitted(task_id, request.request_id, origin)
        if (token := request.task_token) is not None:
            # A token on the row is done too: the end of the song may answer and remove it before the next delivery.
            steps["token"] = lambda: None if done.has_token else self._add_token(report, request.request_id, token)
        return steps

    def _after_letter(self, report: RecordReport, letter: DeadLetter) -> Steps:
        message, request_id, token = report.message, report.request_id, report.task_token
        event = event_of_letter(letter, message, request_id, report.request)
        kind = event.event_type.name
        steps: Steps = {
            # The letter first: it may be the only record of a task.
            f"letter {letter.reason}": lambda: self.dead_letters.send(message, letter, request_id, message.trace),
            f"event {kind}": lambda: self.notifier.publish(event),
        }
        # The redrive of a task that is not recorded brings its token again.
        if token is not None and letter.reason is not Reason.TASK_NOT_RECORDED:
            in_doubt = event.event_type is EventType.IN_DOUBT and request_id is not None
            steps[f"token {kind}"] = lambda: (
                self._add_token(report, request_id or "", token) if in_doubt else self._fail_task(event, token)
            )
        return steps

    def _add_token(self, report: RecordReport, request_id: str, token: str) -> None:
        try:
            result = self.task_tokens.add(request_id, token)
        except LedgerUnavailable as failure:
            raise SideEffectFailed(Reason.LEDGER_UNAVAILABLE, str(failure)) from None
        if isinstance(result, Written):
            return
        if result.row is None:
            raise SideEffectFailed(Reason.LEDGER_UNAVAILABLE, "the row is gone")
        self._answer_at_once(report, result.row, token)

    def _answer_at_once(self, report: RecordReport, row: Row, token: str) -> None:
        """The row has an end, or enough tokens. A token that it has is answered with the others."""
        if token in row.task_tokens:
            return
        has_end = row.status in FINAL or row.status is Status.REJECTED
        if has_end and not row.awaits_recordings:
            self.notifier.answer_task(token, row)
        elif len(row.task_tokens) >= MOST_TASK_TOKENS:
            self.notifier.fail_task(token, _too_many_tokens(report, row.request_id))
        else:
            raise SideEffectFailed(Reason.CLAIM_HELD, "the row changed")

    def _fail_task(self, event: SongEvent, token: str) -> None:
        self.notifier.fail_task(token, event)
        if event.event_type is EventType.REJECTED and event.request_id is not None:
            # A token that stays on the row is answered once more at most, and Step Functions drops that.
            with contextlib.suppress(LedgerUnavailable):
                self.task_tokens.remove(event.request_id, token)


def _too_many_tokens(report: RecordReport, request_id: str) -> SongEvent:
    """What the task is failed with. It is not published: the song is on its way, and its end answers the others."""
    return SongEvent(
        EventType.MESSAGE_REJECTED,
        request_id,
        dedup_key=report.message.delivery_id,
        reason=Reason.TOO_MANY_TASK_TOKENS,
        detail=f"{MOST_TASK_TOKENS} other tasks wait for this song already",
        message_id=report.message.first_message_id,
    )
