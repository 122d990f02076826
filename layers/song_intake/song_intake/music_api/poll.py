"""What a poll's answer says of a task: the one table for both generations of the vendor's pages (UPSTREAM, "Poll").

older   202 {"type": "not_ready"}, or 200 with clips whose state is pending, running, succeeded or failed
newer   {"status": "PENDING" | "RUNNING" | "SUCCESS" | "FAILED", "data": [...]}
"""

import re

from song_intake.domain.reason import Reason
from song_intake.domain.task import MOST_CLIPS, Clip, Failed, NoAnswer, NoSuchTask, Running, Succeeded, TaskState
from song_intake.music_api.answer import Answer, message_in, object_in, retry_after_seconds, vendor_code_in

_RUNNING_WORDS = frozenset(("pending", "running", "queued", "processing"))
_NOT_REFUNDED = re.compile(r"\bnot (been |yet )?refunded\b|\bno refund\b", re.IGNORECASE)
_REFUNDED = re.compile(r"\brefund", re.IGNORECASE)


def state_of(answer: Answer) -> TaskState:
    """The state that this answer tells."""
    said = object_in(answer.body)
    match answer.status:
        case 401:
            return NoAnswer(Reason.TOKEN_REFUSED, 401)
        case 404:
            return NoSuchTask(404)
        case 400 if "not found" in message_in(said).lower():
            return NoSuchTask(400)
        case 429:
            return NoAnswer(Reason.RATE_LIMITED, 429, retry_after_seconds(answer.retry_after))
        case status if 200 <= status <= 299 and said:
            return _told(said, status)
        case status:
            return NoAnswer(Reason.POLL_FAILED, status)


def _told(said: dict[str, object], http_status: int) -> TaskState:
    status, kind = _word(said.get("status")), _word(said.get("type"))
    if status == "failed" or (not status and kind in ("failed", "timeout")):
        return Failed(vendor_code_in(said), refunded_in(said))
    if http_status == 202 or said.get("code") == 202 or kind == "not_ready" or status in _RUNNING_WORDS:
        return Running()
    if status not in ("", "success"):
        return Running(unknown_status=True)
    return _of_clips(said.get("data"))


def _of_clips(data: object) -> TaskState:
    """Done when every clip is; a song when at least one is. No clips at all is "not yet", whatever the status says."""
    clips = [clip for clip in data if isinstance(clip, dict)] if isinstance(data, list) else []
    states = {_word(clip.get("state")) for clip in clips}
    if not clips or states & _RUNNING_WORDS:
        return Running()
    if states == {"failed"}:
        return Failed(None, None)
    done = tuple(Clip.of(clip) for clip in clips if _word(clip.get("state")) in ("succeeded", ""))
    return Succeeded(done[:MOST_CLIPS]) if done else Running(unknown_status=True)


def refunded_in(said: dict[str, object]) -> bool | None:
    """Whether the vendor says that it gave the credits back; None when it does not say."""
    if isinstance(told := said.get("refund_processed"), bool):
        return told
    words = message_in(said)
    if _NOT_REFUNDED.search(words):
        return False
    return True if _REFUNDED.search(words) else None


def _word(value: object) -> str:
    return value.lower() if isinstance(value, str) else ""
