"""What an answer of the create endpoint means for the money: the one table from HTTP status to outcome.

A status says "not created" only where the music API's own pages say so. Everything else that came after the first byte
was sent may have made a song, and stays unknown.
"""

import re

from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.music_api.answer import (
    Answer,
    as_task_id,
    message_in,
    object_in,
    retry_after_seconds,
    vendor_code_in,
)

# A 403 has several meanings and only its text tells them apart: these are about the account, the rest about the song.
_ABOUT_THE_ACCOUNT = re.compile(
    r"\bsubscription\b|\bremaining credits\b|\bcredits (are|is) not enough\b"
    r"|\b(insufficient|not enough|no|out of) credits\b",
    re.IGNORECASE,
)
_ABOUT_THE_SONG = re.compile(
    r"\b(lyrics?|description|sound|title|artist|copyright(ed)?|inappropriate)\b", re.IGNORECASE
)


def outcome_of(answer: Answer) -> Outcome:
    """The outcome that this answer proves. It repeats no text of the vendor, which may quote the lyrics."""
    said = object_in(answer.body)
    status, code = answer.status, vendor_code_in(said)
    match status:
        case status if 200 <= status <= 299:
            return _accepted(said, status, code)
        case 301 | 307 | 308:
            return Refused(
                Reason.REDIRECTED, f"the music API's address answers with a redirect ({status})", status, code
            )
        case 401:
            return Retryable(Reason.TOKEN_REFUSED, "the music API refused the API token", status, code)
        case 402:
            return _no_credits(status, code)
        case 403 if _speaks_of_the_account(said):
            return _no_credits(status, code)
        case 429:
            wait = retry_after_seconds(answer.retry_after)
            return Retryable(Reason.RATE_LIMITED, "the music API asked for fewer requests", status, code, wait)
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


def _accepted(said: dict[str, object], status: int, code: str | None) -> Created | Unknown:
    if task_id := as_task_id(said.get("task_id")):
        return Created(task_id)
    return Unknown(f"the music API answered {status} without a readable task_id", status, code)


def _speaks_of_the_account(said: dict[str, object]) -> bool:
    if said.get("type") == "insufficient_credits":
        return True
    text = message_in(said)
    return bool(_ABOUT_THE_ACCOUNT.search(text)) and not _ABOUT_THE_SONG.search(text)


def _no_credits(status: int, code: str | None) -> Retryable:
    return Retryable(Reason.NO_CREDITS, "the music API account has no credits or no active subscription", status, code)


def _refusal(status: int, code: str | None, said: dict[str, object]) -> str:
    """Our words, with those of the vendor's words that are on our list: a hint that quotes nothing."""
    subjects = sorted({found.group().lower() for found in _ABOUT_THE_SONG.finditer(message_in(said))})
    hint = f"; it speaks of: {', '.join(subjects)}" if subjects else ""
    return f"the music API refused the request: HTTP {status}{f' {code}' if code else ''}{hint}"
