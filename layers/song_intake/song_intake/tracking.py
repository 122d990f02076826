"""The one place that orders what happens to a submitted song until it ends:

    poll -> row -> event -> callback -> acknowledgement

Every step may be repeated: the row takes one end and keeps it, the event repeats under its id, and nobody waits any
more for a callback that was given.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from song_intake.announcements import Happening
from song_intake.api_token import ApiToken, TokenUnavailable
from song_intake.decision import DeadLetter, Decision, Done, RetryIn
from song_intake.ledger_row import FINAL
from song_intake.ledger_table import LedgerUnavailable, Standing, Written
from song_intake.outcome import NotSent
from song_intake.reason import Reason
from song_intake.task_state import Failed, NoSuchTask, NotTold, Running, Succeeded, TaskState

if TYPE_CHECKING:
    from song_intake.ledger_following import Following
    from song_intake.message import Message
    from song_intake.music_api import MusicApi
    from song_intake.song_checks import SongCheck, SongChecks
    from song_intake.telling import Telling

_SECONDS_AN_HOUR = 3600

# Each wait is this much longer than the one before: at first as often as a song may be done, later as one would look.
_GROWTH = 1.25

# The last look is ours, so that its dead letter has a reason: SQS moves a check after a thousand receives.
MOST_LOOKS = 990

_UNKNOWN = Failed(vendor_code=None, refunded=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Follows songs. Safe to share between threads."""

    following: Following
    music_api: MusicApi
    api_token: ApiToken
    checks: SongChecks
    telling: Telling
    first_wait: float
    """Seconds until the second look."""
    longest_wait: float
    """Seconds between two looks at most."""
    tracking_hours: float
    """How long a song is followed before somebody has to look into it."""

    def decide(self, check: SongCheck, message: Message) -> Decision:
        """One look at one song. Raises Undone where somebody could not be told, or the next check not be kept."""
        state = self._poll(check)
        try:
            return self._settled(check, message, state)
        except LedgerUnavailable as failure:
            return RetryIn(self._wait(message), Reason.LEDGER_UNAVAILABLE, f"the ledger did not answer ({failure})")

    def _poll(self, check: SongCheck) -> TaskState:
        try:
            token = self.api_token.current()
        except TokenUnavailable:
            return NotTold(Reason.TOKEN_UNAVAILABLE)
        line = self.music_api.connect()
        if isinstance(line, NotSent):
            return NotTold(line.reason)
        with line:
            state = line.poll(check.task_id, token.value)
        if isinstance(state, NotTold) and state.reason is Reason.TOKEN_REFUSED:
            # For the next look: this one is free to be lost.
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
            case NotTold(reason, _, retry_after):
                wait = max(self._wait(message), retry_after or 0)
                return RetryIn(wait, reason, "the music API did not tell how the song is")

    def _end(self, check: SongCheck, end: Succeeded | Failed, reason: Reason) -> Decision:
        result = self.following.finished(check.request_id, check.task_id, end, reason)
        return self._done(check, result)

    def _done(self, check: SongCheck, result: Written | Standing) -> Decision:
        """The row says how the song ended, now or before; that it was told may be left from a look that died."""
        row = result.row
        if row is None:
            return DeadLetter(Reason.NO_SUCH_REQUEST, "the ledger has no such request", task_id=check.task_id)
        if row.task_id == check.task_id and row.status in FINAL and not row.told:
            self.telling.of_end(row)
            # So that the song's other check, which a webhook brought about, does not tell it all again.
            self.following.told(check.request_id)
        return Done(check.task_id, duplicate=isinstance(result, Standing), ended=row.status)

    def _pass_on(self, check: SongCheck, message: Message, *, no_such_task: bool) -> Decision:
        """Another check carries on, and remembers what this poll was told. It bears no mark of a redrive any more."""
        since = self._since(check, message)
        self.checks.follow(replace(check, since=since, no_such_task=no_such_task))
        return Done(check.task_id, passed_on=True)

    def _is_overdue(self, check: SongCheck, message: Message) -> bool:
        too_long = time.time() - self._since(check, message) > self.tracking_hours * _SECONDS_AN_HOUR
        return too_long or message.receive_count >= MOST_LOOKS

    def _since(self, check: SongCheck, message: Message) -> float:
        """Counted anew when its dead letter is redriven: somebody wants to know again."""
        return message.sent_at if message.is_redriven else check.since

    def _give_up(self, check: SongCheck) -> Decision:
        detail = f"the music API did not say within {self.tracking_hours:g} hours how the song ended"
        result = self.following.overdue(check.request_id, check.task_id, Reason.NEVER_FINISHED, detail)
        if isinstance(result, Standing):
            return self._done(check, result)
        self.telling.of_row(result.row, Happening.IN_DOUBT, Reason.NEVER_FINISHED, detail)
        return DeadLetter(Reason.NEVER_FINISHED, detail, task_id=check.task_id)

    def _wait(self, message: Message) -> float:
        # 60 steps are past any cap, and a float cannot hold the power of every receive count.
        return min(self.longest_wait, self.first_wait * _GROWTH ** min(message.receive_count - 1, 60))
