"""What the response to a create proves, and so whether a song was paid for.

MEANINGS is the whole table. A status proves "not created" only where the vendor's own pages list it, or where something
in front of the vendor must have answered. Every other response to a request that was sent may have created a song.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from song_intake.domain.frozen import frozen
from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.music_api.answer import (
    Answer,
    is_in_form,
    messages_in,
    names_a_task,
    object_in,
    retry_after_seconds,
    status_in,
    task_id_in,
    vendor_code_in,
)

# Only at the beginning of a text: further on it may quote the lyrics, and a quote must not pause every request.
_ABOUT_THE_ACCOUNT = re.compile(
    r"\s*(the |your )?remaining credits are not enough\b|\s*you (do not|don't) have an active subscription\b",
    re.IGNORECASE,
)
_ACCOUNT_TYPE = "insufficient_credits"
_ABOUT_THE_SONG = re.compile(
    r"\b(lyrics?|description|sound|title|artist|copyright(ed)?|inappropriate)\b", re.IGNORECASE
)


@frozen
class _Response:
    """What a meaning may use of a response."""

    status: int
    members: dict[str, object]
    """Those of the vendor's form; empty for a response in another form."""
    retry_after: str | None

    @property
    def code(self) -> str | None:
        return vendor_code_in(self.members)


_Meaning = Callable[[_Response], Outcome]


def outcome_of(answer: Answer) -> Outcome:
    """The outcome that this response proves. It repeats no text of the vendor, which may quote the lyrics."""
    members = object_in(answer.body)
    response = _Response(answer.status, members if is_in_form(members) else {}, answer.retry_after)
    if 200 <= answer.status <= 299:
        return _accepted(response)
    return _meaning_of(response)


def _meaning_of(response: _Response) -> Outcome:
    if response.status >= 400 and names_a_task(response.members):
        # An error that names a task proves nothing: the task may be this one.
        return _unknown(response)
    in_form, in_another_form = MEANINGS.get(response.status, (_unknown, _unknown))
    return (in_form if response.members else in_another_form)(response)


def _accepted(response: _Response) -> Outcome:
    """2xx: created if it names a task. Else the body may hold an error, whose code is the status that counts."""
    if task_id := task_id_in(response.members):
        return Created(task_id)
    status = status_in(response.members, response.status)
    if status >= 400:
        return _meaning_of(replace(response, status=status))
    detail = "without a readable task_id; the song may or may not have been created"
    return Unknown(f"the music API returned {response.status} {detail}", response.status, response.code)


def _unknown(response: _Response) -> Unknown:
    detail = f"the music API returned {response.status}; the song may or may not have been created"
    if task_id := task_id_in(response.members):
        detail += f"; the response names the task {task_id}"
    return Unknown(detail, response.status, response.code)


def _refused(response: _Response) -> Refused:
    """The detail has the terms of our list that the vendor's text contains: a hint that quotes nothing."""
    text = " ".join(messages_in(response.members))
    terms = sorted({found.group().lower() for found in _ABOUT_THE_SONG.finditer(text)})
    code = f" {response.code}" if response.code else ""
    hint = f"; terms found in the vendor's message: {', '.join(terms)}" if terms else ""
    detail = f"the music API refused the request: HTTP {response.status}{code}{hint}"
    return Refused(Reason.REFUSED, detail, response.status, response.code)


def _forbidden(response: _Response) -> Outcome:
    """A 403 has several causes, and only the text names the cause: the account, or something in the request."""
    kind = response.members.get("type")
    if isinstance(kind, str) and kind.lower() == _ACCOUNT_TYPE:
        return _no_credits(response)
    if any(_ABOUT_THE_ACCOUNT.match(text) for text in messages_in(response.members)):
        return _no_credits(response)
    return replace(_refused(response), balance_decides=True)


def _no_credits(response: _Response) -> Retryable:
    return no_credits(response.status, response.code)


def no_credits(status: int | None, code: str | None) -> Retryable:
    """The outcome for an account that cannot pay for a song."""
    return Retryable(Reason.NO_CREDITS, "the music API account has no credits or no active subscription", status, code)


def _token_refused(response: _Response) -> Retryable:
    return _shared(response, Reason.TOKEN_REFUSED, "the music API refused the API token")


def _rate_limited(response: _Response) -> Retryable:
    limited = _shared(response, Reason.RATE_LIMITED, "rate limited by the music API (HTTP 429)")
    return replace(limited, retry_after=retry_after_seconds(response.retry_after))


def _redirected(response: _Response) -> Retryable:
    detail = f"the music API's address returned a redirect ({response.status}), which is never followed"
    return _shared(response, Reason.REDIRECTED, detail)


def _endpoint_refused(response: _Response) -> Retryable:
    detail = f"the music API does not accept creates at its address ({response.status})"
    return _shared(response, Reason.ENDPOINT_REFUSED, detail)


def _turned_away(response: _Response) -> Retryable:
    detail = f"turned away before the music API: a response of {response.status} that is not in the API's form"
    return _shared(response, Reason.TURNED_AWAY, detail)


def _shared(response: _Response, reason: Reason, detail: str) -> Retryable:
    return Retryable(reason, detail, response.status, response.code)


MEANINGS: Final[Mapping[int, tuple[_Meaning, _Meaning]]] = {
    # status: (in the vendor's form, in another form); _accepted reads a 2xx, and a status that is not here is unknown
    301: (_redirected, _redirected),
    307: (_redirected, _redirected),
    308: (_redirected, _redirected),
    400: (_refused, _turned_away),
    401: (_token_refused, _token_refused),
    402: (_no_credits, _no_credits),
    403: (_forbidden, _turned_away),
    404: (_endpoint_refused, _turned_away),
    405: (_endpoint_refused, _turned_away),
    410: (_endpoint_refused, _turned_away),
    411: (_unknown, _turned_away),
    413: (_refused, _refused),
    414: (_refused, _refused),
    415: (_unknown, _turned_away),
    421: (_unknown, _turned_away),
    422: (_refused, _unknown),
    429: (_rate_limited, _rate_limited),
    431: (_unknown, _turned_away),
    451: (_unknown, _turned_away),
}
