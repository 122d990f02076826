"""What the response to a poll says of a task, for both generations of the vendor's pages (UPSTREAM, "Poll").

older   202 {"type": "not_ready"}, or 200 with clips whose state is pending, running, succeeded or failed
newer   {"status": "PENDING" | "RUNNING" | "SUCCESS" | "FAILED", "data": [...]}

In the vendor's form, the body counts under any HTTP status. READINGS is the whole table: the first row that fits is the
meaning. In another form, the response says nothing of the task.
"""

import re
from collections.abc import Callable
from typing import Final

from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.domain.task import (
    MOST_CLIPS,
    Clip,
    Failed,
    NoAnswer,
    NoSuchTask,
    Running,
    Succeeded,
    TaskState,
    refused_links,
)
from song_intake.music_api.answer import (
    Answer,
    is_in_form,
    messages_in,
    object_in,
    retry_after_seconds,
    status_in,
    vendor_code_in,
)
from song_intake.music_api.refund import refunded_in

_RUNNING_WORDS = frozenset(("pending", "running", "queued", "processing", "streaming"))
_FAILED_TYPES = frozenset(("failed", "timeout"))
_UNREADABLE = "?"
_NOT_FOUND = re.compile(r"\bnot[ _-]?found\b", re.IGNORECASE)
_REASON_OF_STATUS = {401: Reason.TOKEN_REFUSED, 429: Reason.RATE_LIMITED}


@frozen
class _Response:
    http: int
    """The status that the vendor means: see status_in."""
    members: dict[str, object]
    retry_after: str | None

    @property
    def status(self) -> str:
        return _word(self.members.get("status"))

    @property
    def kind(self) -> str:
        return _word(self.members.get("type"))

    @property
    def has_clips(self) -> bool:
        data = self.members.get("data")
        return isinstance(data, list) and any(isinstance(clip, dict) for clip in data)


def state_of(answer: Answer) -> TaskState:
    """The state that this response reports."""
    members = object_in(answer.body)
    response = _Response(status_in(members, answer.status), members, answer.retry_after)
    if not is_in_form(members):
        return _no_answer(response)
    return next(meaning(response) for fits, meaning in READINGS if fits(response))


def _failed(response: _Response) -> Failed:
    return Failed(vendor_code_in(response.members), refunded_in(response.members))


def _no_such_task(response: _Response) -> NoSuchTask:
    return NoSuchTask(response.http)


def _no_answer(response: _Response) -> NoAnswer:
    wait = retry_after_seconds(response.retry_after) if response.http == 429 else None
    return NoAnswer(_REASON_OF_STATUS.get(response.http, Reason.POLL_FAILED), response.http, wait)


def _not_yet(_response: _Response) -> Running:
    return Running()


def _unknown(_response: _Response) -> Running:
    return Running(unknown_status=True)


def _says_not_found(response: _Response) -> bool:
    texts = (response.kind, *messages_in(response.members))
    return response.http in (400, 404) and any(_NOT_FOUND.search(text) for text in texts)


def _by_clips(response: _Response) -> TaskState:
    """Done when every clip is; a song when at least one clip is. No clips at all is "not yet", whatever the status."""
    data = response.members.get("data")
    if data is None or data == []:
        return Running()
    if not isinstance(data, list) or not all(isinstance(clip, dict) for clip in data):
        return Running(unknown_status=True)
    states = [_state_of_clip(clip, response) for clip in data]
    if set(states) == {"failed"}:
        return _failed(response)
    if unfinished := [state for state in states if state not in ("succeeded", "failed")]:
        return Running(unknown_status=not _RUNNING_WORDS.issuperset(unfinished))
    return _succeeded([clip for clip, state in zip(data, states, strict=True) if state == "succeeded"])


def _state_of_clip(clip: dict[str, object], response: _Response) -> str:
    """A clip without a state is as the whole response is."""
    state = _word(clip.get("state"))
    is_success = "success" in (response.status, _word(response.members.get("message")))
    return "succeeded" if not state and is_success else state


def _succeeded(clips: list[dict[str, object]]) -> Succeeded | Running:
    """Not before every clip has a link to its recording."""
    songs = [Clip.of(clip) for clip in clips]
    missing = [clip for clip, song in zip(clips, songs, strict=True) if song.audio_url is None]
    if missing:
        # No link yet is usual; one that cannot be used is an anomaly that somebody should see.
        return Running(unknown_status=any(clip.get("audio_url") not in (None, "") for clip in missing))
    return Succeeded(tuple(songs[:MOST_CLIPS]), sum(refused_links(clip) for clip in clips[:MOST_CLIPS]))


def _word(value: object) -> str:
    """A word in lower case; empty for a missing one, and for a number, which repeats the HTTP status."""
    if isinstance(value, str):
        return value.strip().lower()
    is_missing = value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    return "" if is_missing else _UNREADABLE


_Row = tuple[Callable[[_Response], bool], Callable[[_Response], TaskState]]

READINGS: Final[tuple[_Row, ...]] = (
    # what the response has                                                          what it means
    (lambda said: said.status == "failed", _failed),
    (lambda said: not said.status and said.kind in _FAILED_TYPES, _failed),
    (lambda said: said.status in _RUNNING_WORDS, _not_yet),
    (lambda said: said.status == "success", _by_clips),
    (_says_not_found, _no_such_task),
    (lambda said: said.http == 202 or said.kind == "not_ready", _not_yet),
    (lambda said: not said.has_clips and not 200 <= said.http <= 299, _no_answer),
    (lambda said: said.status != "", _unknown),
    (lambda said: not said.has_clips and said.kind not in ("", "success"), _unknown),
    (lambda _: True, _by_clips),
)
