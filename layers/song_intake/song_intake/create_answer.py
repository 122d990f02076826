"""What an answer of the create endpoint means for the money: the one table from HTTP status to outcome.

A status says "not created" only where the music API's own pages say so. Everything else that came after the first byte
was sent may have made a song, and stays unknown.
"""

import json
import math
import re
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from song_intake.outcome import Created, NotSent, Outcome, Refused, Unknown
from song_intake.reason import Reason

# Task ids were only ever seen as UUIDs; anything printable without spaces is taken, since losing one loses a paid song.
_TASK_ID = re.compile(r"[\x21-\x7e]{1,256}")
_VENDOR_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")

# A 403 has several meanings and only its text tells them apart: these are about the account, the rest about the song.
_ABOUT_THE_ACCOUNT = re.compile(
    r"\bsubscription\b|\bremaining credits\b|\bcredits (are|is) not enough\b"
    r"|\b(insufficient|not enough|no|out of) credits\b",
    re.IGNORECASE,
)
_ABOUT_THE_SONG = re.compile(
    r"\b(lyrics?|description|sound|title|artist|copyright(ed)?|inappropriate)\b", re.IGNORECASE
)

LONGEST_RETRY_AFTER_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: status, body and the one header that matters."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str | None = None


def outcome_of(answer: Answer) -> Outcome:
    """The outcome that this answer proves. It repeats no text of the vendor, which may quote the lyrics."""
    said = said_in(answer.body)
    status, code = answer.status, vendor_code_in(said)
    match status:
        case status if 200 <= status <= 299:
            return _accepted(said, status, code)
        case 301 | 307 | 308:
            return Refused(
                Reason.REDIRECTED, f"the music API's address answers with a redirect ({status})", status, code
            )
        case 401:
            return NotSent(Reason.TOKEN_REFUSED, "the music API refused the API token", status, code)
        case 402:
            return _no_credits(status, code)
        case 403 if _speaks_of_the_account(said):
            return _no_credits(status, code)
        case 429:
            wait = retry_after_seconds(answer.retry_after)
            return NotSent(Reason.RATE_LIMITED, "the music API asked for fewer requests", status, code, wait)
        case 408 | 499:
            return Unknown(
                f"the music API answered {status}, which does not say whether it made the song", status, code
            )
        case status if 400 <= status <= 499:
            return Refused(Reason.REFUSED, _refusal(status, code, said), status, code)
        case _:
            return Unknown(
                f"the music API answered {status}, which does not say whether it made the song", status, code
            )


def said_in(body: bytes) -> dict[str, object]:
    """The JSON object of an answer; empty where it is none."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _accepted(said: dict[str, object], status: int, code: str | None) -> Created | Unknown:
    task_id = said.get("task_id")
    if isinstance(task_id, str) and _TASK_ID.fullmatch(task_id):
        return Created(task_id)
    return Unknown(f"the music API answered {status} without a readable task_id", status, code)


def vendor_code_in(said: dict[str, object]) -> str | None:
    """The vendor's own code, if it looks like one: text of any other form may quote the request."""
    code = said.get("type")
    return code if isinstance(code, str) and _VENDOR_CODE.fullmatch(code) else None


def words_in(said: dict[str, object]) -> str:
    """The error in words, wherever a generation of the API put it."""
    return " ".join(text for key in ("error", "message", "detail") if isinstance(text := said.get(key), str))


def _speaks_of_the_account(said: dict[str, object]) -> bool:
    if said.get("type") == "insufficient_credits":
        return True
    text = words_in(said)
    return bool(_ABOUT_THE_ACCOUNT.search(text)) and not _ABOUT_THE_SONG.search(text)


def _no_credits(status: int, code: str | None) -> NotSent:
    return NotSent(Reason.NO_CREDITS, "the music API account has no credits or no active subscription", status, code)


def _refusal(status: int, code: str | None, said: dict[str, object]) -> str:
    """Our words, with those of the vendor's words that are on our list: a hint that quotes nothing."""
    subjects = sorted({found.group().lower() for found in _ABOUT_THE_SONG.finditer(words_in(said))})
    hint = f"; it speaks of: {', '.join(subjects)}" if subjects else ""
    return f"the music API refused the request: HTTP {status}{f' {code}' if code else ''}{hint}"


def retry_after_seconds(header: str | None) -> float | None:
    """Seconds from either form of Retry-After (RFC 9110, 10.2.3), capped; None when there is none that makes sense."""
    if header is None:
        return None
    try:
        seconds = float(header) if header.strip().isdigit() else parsedate_to_datetime(header).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    if math.isnan(seconds) or seconds < 0:
        return None
    return min(seconds, LONGEST_RETRY_AFTER_SECONDS)
