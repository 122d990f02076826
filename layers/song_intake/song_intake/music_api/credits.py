"""What an answer of get-credits says of the account (UPSTREAM, "Credits", where it is told of a sister site):

{"credits": 50, "extra_credits": 0}

Read strictly: on this word the intake is switched on again, and what is not understood leaves that to an operator.
"""

from dataclasses import dataclass

from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.music_api.answer import Answer, object_in

# Charged when a create is taken (UPSTREAM, "Create").
CREDITS_A_SONG = 10

# Past any account; it also keeps out the infinity that JSON's 1e400 becomes.
_MOST_CREDITS = 1e12


@dataclass(frozen=True, slots=True)
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
    """The balance that this answer tells."""
    match answer.status:
        case 401:
            return NoAnswer(Reason.TOKEN_REFUSED, 401)
        case 429:
            return NoAnswer(Reason.RATE_LIMITED, 429)
        case status if 200 <= status <= 299:
            return _told(object_in(answer.body)) or NoAnswer(Reason.BALANCE_UNKNOWN, status)
        case status:
            return NoAnswer(Reason.BALANCE_UNKNOWN, status)


def _told(said: dict[str, object]) -> Balance | None:
    extra = said.get("extra_credits")
    credits_, extra_credits = _amount(said.get("credits")), 0 if extra is None else _amount(extra)
    return None if credits_ is None or extra_credits is None else Balance(credits_, extra_credits)


def _amount(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_CREDITS:
        return None
    return int(value)
