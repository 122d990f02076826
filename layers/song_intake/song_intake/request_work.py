"""What is done with one song request: from its body to its decision, and all that follows from it.

    row -> check, or dead letter -> event -> callback -> acknowledgement

The row comes first (Submission). Whatever fails after it, or dies, leaves the message on its queue; when it comes back,
the row gives the same decision, and the steps are done again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from song_intake.decision import DeadLetter, Done, RetryIn
from song_intake.reason import Reason
from song_intake.song_checks import SongCheck
from song_intake.song_request import InvalidRequest, SongRequest
from song_intake.telemetry import Report, frames_of
from song_intake.undone import Undone

if TYPE_CHECKING:
    from song_intake.batch import TimeLeft
    from song_intake.dead_letters import DeadLetters
    from song_intake.message import Message
    from song_intake.song_checks import SongChecks
    from song_intake.submission import Submission
    from song_intake.telling import Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWork:
    """Safe to share between threads."""

    submission: Submission
    checks: SongChecks
    telling: Telling
    dead_letters: DeadLetters

    def begin(self, time_left: TimeLeft) -> None:
        """See Work.begin."""
        self.submission.pacer.begin(time_left)

    def take(self, message: Message, time_left: TimeLeft) -> Report:
        """See Work.take."""
        request: SongRequest | None = None
        try:
            request = SongRequest.parse(message.body, message.first_message_id, message.known_request_id)
            decision = self.submission.decide(request, message, time_left)
            return Report(message, decision, request.request_id, request=request)
        except InvalidRequest as invalid:
            return Report(message, DeadLetter(Reason.INVALID_REQUEST, str(invalid)), invalid.request_id)
        except Exception as failure:  # noqa: BLE001 - one record's surprise is not the other records' fault
            decision = self.submission.surprised(message, failure)
            request_id = request.request_id if request else None
            return Report(message, decision, request_id, frames=frames_of(failure), request=request)

    def carry_out(self, report: Report) -> Report:
        """See Work.carry_out."""
        decision = report.decision
        if isinstance(decision, RetryIn):
            return report
        try:
            if isinstance(decision, Done):
                self._follow(decision, report.request)
            else:
                # The letter first: it may be all that knows of a task.
                self.dead_letters.send(report.message, decision, report.request_id)
                self.telling.of_dead_letter(decision, report.message, report.request_id, report.request)
        except Undone as failure:
            return replace(report, decision=self.submission.undone(report.message, failure), undone=decision)
        return report

    def _follow(self, decision: Done, request: SongRequest | None) -> None:
        """Follow and announce a song that has not ended; again for a duplicate: the first may have died before this."""
        if request is None or decision.task_id is None or decision.ended:
            return
        self.checks.follow(SongCheck(request.request_id, decision.task_id, time.time()))
        self.telling.of_submission(decision.task_id, request)
