"""The one place that orders what happens to a submitted song until it ends:

    poll -> row -> event -> callback -> acknowledgement

Every step may be repeated: the row takes one end and keeps it, the event repeats under its id, and nobody waits any
more for a callback that was given.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from song_intake.domain.decision import DeadLetter, Decision, Done, RetryIn
from song_intake.domain.reason import Reason
from song_intake.domain.status import FINAL
from song_intake.domain.task import Failed, NoAnswer, NoSuchTask, Running, Succeeded, TaskState
from song_intake.ledger.table import Existing, LedgerUnavailable, Written
from song_intake.music_api.token import ApiToken, TokenUnavailable
from song_intake.outgoing.events import EventType

if TYPE_CHECKING:
    from song_intake.contract.sqs_message import Message
    from song_intake.ledger.following import TrackingStore
    from song_intake.music_api.client import MusicApi
    from song_intake.outgoing.checks import SongCheck, SongChecks
    from song_intake.outgoing.notifier import Notifier

_SECONDS_AN_HOUR = 3600

# Each wait is this much longer than the one before: at first as often as a song may be done, later as one would look.
_GROWTH = 1.25

# The last look is ours, so that its dead letter has a reason: SQS moves a check after a thousand receives.
MOST_POLLS = 990

_UNKNOWN = Failed(vendor_code=None, refunded=None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Tracking:
    """Follows songs. Safe to share between threads."""

    store: TrackingStore
    music_api: MusicApi
    api_token: ApiToken
    checks: SongChecks
    notifier: Notifier
    first_wait: float
    """Seconds until the second look."""
    longest_wait: float
    """Seconds between two looks at most."""
    tracking_hours: float
    """How long a song is followed before somebody has to look into it."""

    def decide(self, check: SongCheck, message: Message) -> Decision:
        """One poll of one song. Raises SideEffectFailed if a notification or the next check could not be sent."""
        state = self._poll(check)
        try:
            return self._settled(check, message, state)
        except LedgerUnavailable as failure:
            return RetryIn(self._wait(message), Reason.LEDGER_UNAVAILABLE, f"the ledger did not answer ({failure})")

    def _poll(self, check: SongCheck) -> TaskState:
        try:
            token = self.api_token.current()
        except TokenUnavailable:
            return NoAnswer(Reason.TOKEN_UNAVAILABLE)
        state = self.music_api.poll(check.task_id, token.value)
        if isinstance(state, NoAnswer) and state.reason is Reason.TOKEN_REFUSED:
            # Refresh for the next poll; losing this one costs nothing.
            self.api_token.refresh(token)
        return state

    def _settled(self, check: SongCheck, message: Message, state: TaskState) -> Decision:
        match state:
            case Succeeded():
                return self._end(check, state, Reason.FAILED_BY_VENDOR)
            case Failed():
                return self._end(check, state, Reason.FAILED_BY_VENDOR)
            case NoSuchTask() if check.no_such_task:
                return self._end(check, _UNKNOWN, Reason.TASK_UNKNOWN)
            case _ if self._is_overdue(check, message):
                return self._give_up(check)
            case NoSuchTask():
                # A task may not be found right after it was made: only a second time in a row ends it.
                return self._pass_on(check, message, no_such_task=True)
            case Running() if check.no_such_task:
                return self._pass_on(check, message, no_such_task=False)
            case Running(unknown_status=unknown):
                reason = Reason.UNKNOWN_STATUS if unknown else Reason.NOT_FINISHED
                return RetryIn(self._wait(message), reason, "the song is not finished")
            case NoAnswer(reason, _, retry_after):
                wait = max(self._wait(message), retry_after or 0)
                return RetryIn(wait, reason, "the poll returned no usable status")

    def _end(self, check: SongCheck, end: Succeeded | Failed, reason: Reason) -> Decision:
        result = self.store.record_end(check.request_id, check.task_id, end, reason)
        decision = self._done(check, result)
        if isinstance(end, Succeeded) and isinstance(decision, Done) and not decision.duplicate:
            return replace(decision, links_refused=end.links_refused)
        return decision

    def _done(self, check: SongCheck, result: Written | Existing) -> Decision:
        """The row holds how the song ended. An earlier run may have crashed before it published the end."""
        row = result.row
        if row is None:
            return DeadLetter(Reason.NO_SUCH_REQUEST, "the ledger has no such request", task_id=check.task_id)
        if row.task_id == check.task_id and row.status in FINAL and not row.end_published:
            self.notifier.publish_end(row)
            # So that the song's other check, which a webhook causes, does not publish the end again.
            self.store.mark_end_published(check.request_id)
        return Done(check.task_id, duplicate=isinstance(result, Existing), ended=row.status)

    def _pass_on(self, check: SongCheck, message: Message, *, no_such_task: bool) -> Decision:
        """A follow-up check keeps what this poll returned. It no longer counts as redriven."""
        since = self._since(check, message)
        self.checks.schedule(replace(check, since=since, no_such_task=no_such_task))
        return Done(check.task_id, passed_on=True)

    def _is_overdue(self, check: SongCheck, message: Message) -> bool:
        too_long = time.time() - self._since(check, message) > self.tracking_hours * _SECONDS_AN_HOUR
        return too_long or message.receive_count >= MOST_POLLS

    def _since(self, check: SongCheck, message: Message) -> float:
        """A redrive of its dead letter starts the count again: an operator asks for the song again."""
        return message.sent_at if message.is_redriven else check.since

    def _give_up(self, check: SongCheck) -> Decision:
        detail = f"no final status within {self.tracking_hours:g} hours"
        result = self.store.record_overdue(check.request_id, check.task_id, Reason.NEVER_FINISHED, detail)
        if isinstance(result, Existing) or result.row is None:
            return self._done(check, result)
        self.notifier.publish_row(result.row, EventType.IN_DOUBT, Reason.NEVER_FINISHED, detail)
        return DeadLetter(Reason.NEVER_FINISHED, detail, task_id=check.task_id)

    def _wait(self, message: Message) -> float:
        # 60 steps are past any cap, and a float cannot hold the power of every receive count.
        return min(self.longest_wait, self.first_wait * _GROWTH ** min(message.receive_count - 1, 60))
