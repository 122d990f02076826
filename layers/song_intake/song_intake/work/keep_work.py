"""The work on one message about a song's recordings: one attempt at them, and the steps that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.outgoing.recording_orders import RecordingOrder
from song_intake.work.own_queue_work import OwnQueueWork

if TYPE_CHECKING:
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.decision import Decision
    from song_intake.work.batch import TimeLeft
    from song_intake.work.keeping import RecordingKeeper


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class KeepWork(OwnQueueWork[RecordingOrder]):
    """Safe to share between threads."""

    keeper: RecordingKeeper

    def parse(self, message: Message) -> RecordingOrder:
        """See OwnQueueWork.parse."""
        return RecordingOrder.parse(message.body)

    def decide_about(self, subject: RecordingOrder, message: Message, time_left: TimeLeft) -> Decision:
        """See OwnQueueWork.decide_about."""
        return self.keeper.decide(subject, message, time_left)
