"""The one place that orders what happens to a submitted song until it ends:

    poll -> row -> event -> callback -> acknowledgement
                         -> order of its recordings, which answers the callback later: see keeping.py

Every step may be repeated: the row accepts one end, the event repeats under its id, and a callback that was answered is
dropped.

    Succeeded, Failed    the end. A failure may still become a success; a success is final.
    Running              polled again
    NoSuchTask           polled again. The song is given up when every poll with a status reported this for some time.
    NoAnswer             polled again; says nothing about the song

A song that is given up stays SUBMITTED. Its dead letter can be redriven, and its webhook has the song polled again. A
check of a webhook first names the task: see webhook_hints.py. If another check tracks the song, it ends after one poll.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

from song_intake.domain.decision import DeadLetter, Decision, Done, RetryIn
from song_intake.domain.reason import Reason
from song_intake.domain.status import FINAL
from song_intake.domain.task import Failed, NoAnswer, NoSuchTask, Running, Succeeded, TaskState, Unfinished
from song_intake.ledger.table import Existing, LedgerUnavailable, Written
from song_intake.music_api.token import ApiToken, TokenUnavailable
from song_intake.outgoing.recording_orders import RecordingOrder, RecordingOrders
from song_intake.work.own_queue_work import MOST_RECEIVES
from song_intake.work.webhook_hints import SongToPoll, WebhookHints

if TYPE_CHECKING:
    from song_intake.contract.sqs_message import Message
    from song_intake.ledger.following import TrackingStore
    from song_intake.ledger.row import Row
    from song_intake.music_api.client import MusicApi
    from song_intake.outgoing.checks import SongCheck, SongChecks
    from song_intake.outgoing.notifier import Notifier

_SECONDS_A_MINUTE = 60
_SECONDS_AN_HOUR = 3600

# Each wait is this much longer than the one before: frequent while the song may end at any moment, rare later.
_GROWTH = 1.25

# Seconds. A poll is free, and SQS cannot hide a check for longer than 12 hours.
_LONGEST_RETRY_AFTER = 900.0

# How much longer than TrackingHours a song is tracked while the API does not answer at all, or while the ledger does
# not: an outage of a week ends no song. Each check is kept for 10 days, and sent again before its receives run out.
_HOURS_OF_SILENCE = 168

NO_TIME_FOR_A_POLL = (Reason.NO_TIME_LEFT, "too little of the invocation was left")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Tracking:
    """Tracks songs. Safe to share between threads."""

    store: TrackingStore
    hints: WebhookHints
    music_api: MusicApi
    api_token: ApiToken
    checks: SongChecks
    notifier: Notifier
    first_wait: float
    """Seconds until the second poll."""
    longest_wait: float
    """Seconds between two polls at most."""
    tracking_hours: float
    """How long a song is tracked before it is given up."""
    unknown_task_minutes: float
    """How long the API must not know a task before its song is given up."""
    orders: RecordingOrders | None = None
    """None: no recordings are copied."""
    on_event: Callable[[float], None] = field(default=lambda _: None)
    """Called with the seconds from the first knowledge of a song's end to the event of its end."""

    def decide(self, check: SongCheck, message: Message, may_poll: Callable[[], bool] = lambda: True) -> Decision:
        """One poll of one song. Raises SideEffectFailed if a notification or the next check could not be sent, and
        KeyUnavailable if a hint could not be verified.

        A redrive of its dead letter counts all times anew: an operator asks for the song again. may_poll: whether
        enough time is left for a poll and the writes after it.
        """
        if message.is_redriven:
            check = replace(check, since=message.sent_at, unknown_since=None)
        try:
            hinted = self.hints.apply(check, message)
            match hinted:
                case Done():
                    return hinted
                case Existing():
                    return self._done(check, hinted)
            return self._polled(hinted, message) if may_poll() else RetryIn(0, *NO_TIME_FOR_A_POLL)
        except LedgerUnavailable as failure:
            detail = f"the ledger did not answer ({failure})"
            if _hours_tracked(check) > self.tracking_hours + _HOURS_OF_SILENCE:
                return DeadLetter(Reason.RETRIES_EXHAUSTED, f"after the last poll: {detail}", task_id=check.task_id)
            if message.receive_count >= MOST_RECEIVES:
                # Its hint too: it may not be applied yet.
                return self._pass_on(check, Reason.LEDGER_UNAVAILABLE, unknown_since=check.unknown_since)
            return RetryIn(self._wait(message), Reason.LEDGER_UNAVAILABLE, detail)

    def _polled(self, song: SongToPoll, message: Message) -> Decision:
        state = self._poll(song.check)
        if isinstance(state, Succeeded | Failed):
            return self._end(song, state)
        return self._settled(song.check, message, state) if song.is_tracked else self._once(song.check, message, state)

    def _poll(self, check: SongCheck) -> TaskState:
        try:
            token = self.api_token.current()
        except TokenUnavailable:
            return NoAnswer(Reason.TOKEN_UNAVAILABLE)
        state = self.music_api.poll(check.task_id, token.value, check.trace)
        if isinstance(state, NoAnswer) and state.reason is Reason.TOKEN_REFUSED:
            # Refresh for the next poll; losing this one costs nothing.
            self.api_token.refresh(token)
        return state

    def _once(self, check: SongCheck, message: Message, state: Unfinished) -> Decision:
        """Another check tracks the song: only the end of the song counts, and no second check may remain."""
        match state:
            case NoAnswer() if message.receive_count < MOST_RECEIVES:
                return self._ask_again(check, message, state)
            case _:
                return Done(check.task_id, duplicate=True)

    def _settled(self, check: SongCheck, message: Message, state: Unfinished) -> Decision:
        match state:
            case NoSuchTask() if self._is_unknown_for_long(check, message):
                return self._give_up(
                    check,
                    Reason.TASK_UNKNOWN,
                    f"the music API has not known the task for {self.unknown_task_minutes:g} minutes",
                )
            case NoAnswer() if _hours_tracked(check) <= self.tracking_hours + _HOURS_OF_SILENCE:
                return self._ask_again(check, message, state)
            case NoAnswer():
                return self._never_finished(check)
            case _ if self._is_overdue(check, message):
                return self._never_finished(check)
            case NoSuchTask() if check.unknown_since is None:
                return self._pass_on(check, Reason.TASK_UNKNOWN, unknown_since=time.time())
            case NoSuchTask():
                return RetryIn(self._wait(message), Reason.TASK_UNKNOWN, "the music API does not know the task yet")
            case Running(unknown_status):
                reason = Reason.UNKNOWN_STATUS if unknown_status else Reason.NOT_FINISHED
                if check.unknown_since is not None:
                    return self._pass_on(check, reason, unknown_since=None)
                return RetryIn(self._wait(message), reason, "the song is not finished")
            case _:
                assert_never(state)

    def _ask_again(self, check: SongCheck, message: Message, state: NoAnswer) -> Decision:
        """What keeps the API from answering concerns every song: this one is not given up for it, and its check does
        not use up its receives.
        """
        if message.receive_count >= MOST_RECEIVES:
            return self._pass_on(check, state.reason, unknown_since=check.unknown_since)
        wait = max(self._wait(message), min(state.retry_after or 0, _LONGEST_RETRY_AFTER))
        return RetryIn(wait, state.reason, "the poll returned no usable status")

    def _end(self, song: SongToPoll, end: Succeeded | Failed) -> Decision:
        check = song.check
        result = self.store.record_end(check.request_id, check.task_id, end, Reason.FAILED_BY_VENDOR)
        decision = self._done(check, result, song.webhook_at)
        if isinstance(end, Succeeded) and isinstance(decision, Done) and not decision.duplicate:
            return replace(decision, links_refused=end.links_refused)
        return decision

    def _done(self, check: SongCheck, result: Written | Existing, webhook_at: float | None = None) -> Decision:
        """The row holds how the song ended. An earlier run may have crashed before it published the end.

        webhook_at: when the webhook arrived that caused the poll, in seconds since 1970.
        """
        row = result.row
        if row is None:
            return DeadLetter(Reason.NO_SUCH_REQUEST, "the ledger has no such request", task_id=check.task_id)
        if row.task_id == check.task_id and row.status in FINAL and not row.is_notified:
            done, failure = self.notifier.publish_end(row, self._order(row))
            if done.published_at is not None:
                known_at = row.changed_at if webhook_at is None else min(webhook_at, row.changed_at)
                self.on_event(done.published_at - known_at)
            # So that neither a retry nor the song's other check, which a webhook causes, does it again.
            self.store.mark_notified(row, done)
            if failure is not None:
                raise failure
        return Done(check.task_id, duplicate=isinstance(result, Existing), ended=row.status, trace=row.trace)

    def _order(self, row: Row) -> Callable[[], None] | None:
        order = RecordingOrder(row.request_id, row.task_id or "", time.time(), row.trace_id)
        return partial(self.orders.send, order) if self.orders else None

    def _pass_on(self, check: SongCheck, reason: Reason, *, unknown_since: float | None) -> Decision:
        """A follow-up check keeps what this poll returned. It no longer counts as redriven."""
        self.checks.schedule(replace(check, unknown_since=unknown_since))
        return Done(check.task_id, passed_on=True, reason=reason)

    def _is_unknown_for_long(self, check: SongCheck, message: Message) -> bool:
        """Since the first such poll, which sent this message.

        SQS's clock is the second source of that moment: a clock of ours that was wrong then must not shorten the time.
        """
        if check.unknown_since is None:
            return False
        since = max(check.unknown_since, message.sent_at)
        return time.time() - since >= self.unknown_task_minutes * _SECONDS_A_MINUTE

    def _is_overdue(self, check: SongCheck, message: Message) -> bool:
        return _hours_tracked(check) > self.tracking_hours or message.receive_count >= MOST_RECEIVES

    def _never_finished(self, check: SongCheck) -> Decision:
        detail = f"no final status within {_hours_tracked(check):.0f} hours"
        return self._give_up(check, Reason.NEVER_FINISHED, detail)

    def _give_up(self, check: SongCheck, reason: Reason, detail: str) -> Decision:
        """The song is no longer polled. The row may have an end by now: it is published instead."""
        result = self.store.record_tracking_stopped(check.request_id, check.task_id, reason, detail)
        if isinstance(result, Existing) or result.row is None:
            return self._done(check, result)
        if result.row.doubt_published != reason:
            self.notifier.publish_doubt(result.row, reason, detail)
            self.store.mark_doubt_published(result.row, reason)
        return DeadLetter(reason, detail, task_id=check.task_id)

    def _wait(self, message: Message) -> float:
        # 60 steps are past any cap, and a float cannot hold the power of every receive count.
        return min(self.longest_wait, self.first_wait * _GROWTH ** min(message.receive_count - 1, 60))


def _hours_tracked(check: SongCheck) -> float:
    return (time.time() - check.since) / _SECONDS_AN_HOUR
