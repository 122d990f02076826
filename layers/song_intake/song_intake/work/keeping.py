"""Copies the recordings of a song that succeeded, as a message on song-recordings asks:

    row -> copies -> row -> event -> callback -> acknowledgement

Every step may be repeated. The links come from the row, never from the message. An object is written once; the row
accepts one end of the copying; the event repeats under its id; a callback that was answered is dropped.

    Copied      the row gets it with the others of this delivery
    NotYet      asked again. A fault that concerns every recording (its host, the bucket) is waited out for a week more
    Unusable    this recording is given up. The others are not

The copying ends KEPT, with all recordings; or GIVEN_UP, with those there are, and a dead letter that may be redriven.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from song_intake.domain.decision import DeadLetter, Decision, Done, RetryIn
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import RECORDING_FAULTS, Reason
from song_intake.domain.recording import Keeping, Recording
from song_intake.ledger.table import Existing, LedgerUnavailable, row_in
from song_intake.recordings.copier import Copied, NotYet, Unusable
from song_intake.work.own_queue_work import MOST_RECEIVES

if TYPE_CHECKING:
    from song_intake.contract.sqs_message import Message
    from song_intake.domain.task import Clip
    from song_intake.ledger.keeping import KeepingStore
    from song_intake.ledger.row import Row
    from song_intake.outgoing.notifier import Notifier
    from song_intake.outgoing.recording_orders import RecordingOrder, RecordingOrders
    from song_intake.outgoing.recording_report import RecordingReport

_SECONDS_AN_HOUR = 3600

KEEPING_HOURS: Final = 48
"""How long a recording that its host does not have is asked for. Our choice: links are usable within minutes, and a
vendor that corrects an incident needs a working day.
"""

# How much longer a host or a bucket may fail: as long as a song is tracked without an answer. The queue keeps a message
# for 10 days.
_HOURS_OF_FAULT = 168

# Seconds. Each wait is this much longer than the one before.
_FIRST_WAIT, _GROWTH, _LONGEST_WAIT = 10.0, 1.5, 900.0

LEAST_SECONDS: Final = 20.0
"""A copy begins only if so much is left for it. Our choice: a slow host has this long at least."""

_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


class Copier(Protocol):
    """What RecordingCopier does."""

    def copy(self, link: str, name: str, seconds: float) -> Copied | NotYet | Unusable:
        """See RecordingCopier.copy."""


@frozen
class _Source:
    """One recording to copy. link: None if the vendor gave none."""

    clip_id: str
    name: str
    link: str | None
    is_wav: bool


@frozen
class _Round:
    """What one delivery achieved: all copies so far, and what stands in the way of the others."""

    recordings: tuple[Recording, ...]
    waiting: tuple[NotYet, ...]
    given_up: tuple[str, ...]
    """The details."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RecordingKeeper:
    """Safe to share between threads."""

    store: KeepingStore
    copier: Copier
    orders: RecordingOrders
    notifier: Notifier
    report: RecordingReport
    with_wav: bool
    settle_margin: float
    """Seconds that are reserved after the copies: for the row, the event and the callbacks."""

    def decide(self, order: RecordingOrder, message: Message, time_left: Callable[[], float]) -> Decision:
        """One attempt at the recordings of one song. Raises SideEffectFailed if a notification could not be sent.

        A redrive of its dead letter counts all times anew.
        """
        if message.is_redriven:
            order = replace(order, since=message.sent_at)
        try:
            row = self.store.row(order.request_id)
            if row is None:
                return DeadLetter(Reason.NO_SUCH_REQUEST, "the ledger has no such request", task_id=order.task_id)
            if row.task_id != order.task_id or row.keeping is None:
                return Done(order.task_id, duplicate=True)
            if row.keeping is Keeping.GIVEN_UP and message.is_redriven:
                row = row_in(self.store.resume(row))
            if row.keeping is not Keeping.PENDING:
                return self._ended(row, is_duplicate=True)
            return self._attempted(row, order, message, lambda: time_left() - self.settle_margin)
        except LedgerUnavailable as failure:
            detail = f"the ledger did not answer ({failure})"
            return self._again(order, message, Reason.LEDGER_UNAVAILABLE, detail)

    def _attempted(self, row: Row, order: RecordingOrder, message: Message, time_left: Callable[[], float]) -> Decision:
        done = self._copied(row, order, time_left)
        if done.waiting:
            keeping, detail = Keeping.PENDING, ""
        else:
            keeping = Keeping.GIVEN_UP if done.given_up else Keeping.KEPT
            detail = "; ".join(dict.fromkeys(done.given_up))
        if keeping is not Keeping.PENDING or len(done.recordings) > len(row.recordings):
            result = self.store.record(row, done.recordings, keeping, detail)
            if isinstance(result, Existing):
                # Another message of this song was faster.
                return RetryIn(0, Reason.CLAIM_HELD, "another message copies the recordings of this song")
            row = row_in(result)
        if done.waiting:
            first = done.waiting[0]
            asked = max(one.retry_after or 0 for one in done.waiting)
            return self._again(order, message, first.reason, first.detail, asked)
        return self._ended(row, is_duplicate=False)

    def _copied(self, row: Row, order: RecordingOrder, time_left: Callable[[], float]) -> _Round:
        """Tries each recording that the row lacks, once. Each has a share of the time, so that a host that hangs on one
        does not keep the others from being copied.
        """
        recordings = {one.key: one for one in row.recordings}
        waiting: list[NotYet] = []
        given_up: list[str] = [] if row.clips else ["the song has no clips"]
        sources = list(_sources(row, with_wav=self.with_wav))
        for number, source in enumerate(sources):
            if any(_is_of(source, one) for one in recordings.values()):
                continue
            match self._copy(source, time_left(), len(sources) - number):
                case Copied(bucket, key, kind, size, sha256):
                    recordings[key] = Recording(source.clip_id, kind, bucket, key, size, sha256)
                case NotYet() as later if _hours_since(order) <= _hours_for(later):
                    waiting.append(later)
                case NotYet(detail=detail):
                    given_up.append(f"{detail}, for {_hours_since(order):.0f} hours")
                case never:
                    given_up.append(never.detail)
        return _Round(tuple(recordings.values()), tuple(waiting), tuple(given_up))

    def _copy(self, source: _Source, seconds: float, sources: int) -> Copied | NotYet | Unusable:
        """seconds: what is left for so many sources."""
        if source.link is None:
            return Unusable(Reason.RECORDING_UNAVAILABLE, "a clip has no link to its recording")
        if seconds < LEAST_SECONDS:
            return NotYet(Reason.NO_TIME_LEFT, "too little of the invocation was left")
        result = self.copier.copy(source.link, source.name, max(seconds / sources, LEAST_SECONDS))
        if isinstance(result, Copied):
            self.report.copied(result.format, result.bytes)
        return result

    def _ended(self, row: Row, *, is_duplicate: bool) -> Decision:
        """The row holds the end of the copying. An earlier run may have crashed before it published this end."""
        if not row.keeping_published or row.task_tokens:
            done, failure = self.notifier.publish_keeping(row)
            self.store.mark_published(row, done)
            if failure is not None:
                raise failure
        if row.keeping is Keeping.GIVEN_UP:
            return DeadLetter(Reason.RECORDING_UNAVAILABLE, row.keeping_detail or "", task_id=row.task_id)
        return Done(row.task_id, duplicate=is_duplicate, ended=Keeping.KEPT)

    def _again(
        self, order: RecordingOrder, message: Message, reason: Reason, detail: str, asked: float = 0.0
    ) -> Decision:
        """Nothing but time ends the waiting: a message whose receives run out is sent again as a fresh one."""
        if message.receive_count >= MOST_RECEIVES:
            self.orders.send(order)
            return Done(order.task_id, passed_on=True, reason=reason)
        if reason is Reason.NO_TIME_LEFT:
            return RetryIn(0, reason, detail)
        # 60 steps are past any cap, and a float cannot hold the power of every receive count.
        grown = _FIRST_WAIT * _GROWTH ** min(message.receive_count - 1, 60)
        return RetryIn(min(max(grown, asked), _LONGEST_WAIT), reason, detail)


def _sources(row: Row, *, with_wav: bool) -> Iterator[_Source]:
    """A clip without a link to a WAV file has no WAV file to copy; every clip must have the other link."""
    ids = Counter(clip.clip_id for clip in row.clips)
    for number, clip in enumerate(row.clips):
        is_plain = ids[clip.clip_id] == 1 and _PLAIN.fullmatch(clip.clip_id)
        name = f"songs/{row.request_id}/{clip.clip_id if is_plain else _made_plain(clip, number)}"
        yield _Source(clip.clip_id, name, clip.audio_url, is_wav=False)
        if with_wav and clip.wav_url is not None:
            yield _Source(clip.clip_id, name, clip.wav_url, is_wav=True)


def _made_plain(clip: Clip, number: int) -> str:
    """A name that no other clip of the song has, for an id that cannot be one."""
    return hashlib.sha256(f"{number}/{clip.clip_id}".encode()).hexdigest()


def _is_of(source: _Source, recording: Recording) -> bool:
    is_same = recording.key.rpartition(".")[0] == source.name
    return is_same and (recording.format == "wav") is source.is_wav


def _hours_for(later: NotYet) -> float:
    is_shared = later.reason in RECORDING_FAULTS or later.reason is Reason.NO_TIME_LEFT
    return KEEPING_HOURS + (_HOURS_OF_FAULT if is_shared else 0)


def _hours_since(order: RecordingOrder) -> float:
    return (time.time() - order.since) / _SECONDS_AN_HOUR
