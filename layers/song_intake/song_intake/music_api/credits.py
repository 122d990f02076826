"""What a response of get-credits says of the account (UPSTREAM, "Credits", where a sister site documents it):

{"credits": 50, "extra_credits": 0}

    2xx   with readable amounts    the balance
    401                            the token was refused
    429                            rate limited
    else                           the balance is unknown

An unknown balance is never taken for an empty one: on this evidence the intake is paused and resumed.
"""

import re

from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.answer import Answer, object_in, retry_after_seconds, status_in

# Charged when a create is accepted (UPSTREAM, "Create").
CREDITS_A_SONG = 10

# More than any account has; it also excludes the infinity that JSON's 1e400 becomes.
_MOST_CREDITS = 1e12
_AMOUNT = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")

_REASON_OF_STATUS = {401: Reason.TOKEN_REFUSED, 429: Reason.RATE_LIMITED}


@frozen
class Balance:
    """What the account holds, in credits."""

    credits: int
    extra: int

    @property
    def total(self) -> int:
        return self.credits + self.extra

    @property
    def allows_a_song(self) -> bool:
        return self.total >= CREDITS_A_SONG


def balance_of(answer: Answer) -> Balance | NoAnswer:
    """The balance that this response reports."""
    members = object_in(answer.body)
    status = status_in(members, answer.status)
    if 200 <= status <= 299 and (balance := _balance_in(members)):
        return balance
    wait = retry_after_seconds(answer.retry_after) if status == 429 else None
    return NoAnswer(_REASON_OF_STATUS.get(status, Reason.BALANCE_UNKNOWN), status, wait)


def _balance_in(members: dict[str, object]) -> Balance | None:
    """The amounts are at the top or under `data`. Extra credits may be missing."""
    credits_, extra = (_amount(_given(members, name)) for name in ("credits", "extra_credits"))
    if _given(members, "extra_credits") is None:
        extra = 0
    return None if credits_ is None or extra is None else Balance(credits_, extra)


def _given(members: dict[str, object], name: str) -> object:
    data = members.get("data")
    places = (members, data if isinstance(data, dict) else {})
    return next((value for place in places if (value := place.get(name)) is not None), None)


def _amount(value: object) -> int | None:
    if isinstance(value, str) and _AMOUNT.fullmatch(text := value.strip()):
        value = float(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_CREDITS:
        return None
    return int(value)
