"""The work on one check: a poll of its song, and the steps that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.domain.decision import RetryIn
from song_intake.outgoing.checks import SongCheck
from song_intake.work.own_queue_work import OwnQueueWork
from song_intake.work.tracking import NO_TIME_FOR_A_POLL

if TYPE_CHECKING:
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import Decision
    from song_intake.work.batch import TimeLeft
    from song_intake.work.tracking import Tracking


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CheckWork(OwnQueueWork[SongCheck]):
    """Safe to share between threads."""

    tracking: Tracking
    poll_call: float
    """Seconds that must be left to begin a poll: its deadline and the writes after it."""

    def parse(self, message: Message) -> SongCheck:
        """See OwnQueueWork.parse."""
        return SongCheck.parse(message.body, message.sent_at)

    def decide_about(self, subject: SongCheck, message: Message, time_left: TimeLeft) -> Decision:
        """See OwnQueueWork.decide_about."""
        if time_left() < self.poll_call:
            return RetryIn(0, *NO_TIME_FOR_A_POLL)
        # The writes about a hint, before the poll, take time too.
        return self.tracking.decide(subject, message, lambda: time_left() >= self.poll_call)
