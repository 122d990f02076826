"""What a poll says of a task, as values: both generations of the vendor's answers come to these.

Running     not done yet, or said in words that this code does not know
Succeeded   the song is there: its clips
Failed      there will be no song
NoSuchTask  the vendor does not know the task, now
NotTold     the vendor said nothing of the task: it was not reached, was busy, or refused the token
"""

from dataclasses import dataclass
from typing import Self

from song_intake.domain.reason import Reason

# Far beyond any real one. An answer past these must not make a row that DynamoDB refuses at every look.
MOST_CLIPS = 10
_LONGEST_TEXT = 2_048
_LARGEST_SEED = 10**20
_LONGEST_SONG = 86_400.0


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of the song: where it is and how it was made. It holds no lyrics and no description."""

    clip_id: str
    audio_url: str | None = None
    wav_url: str | None = None
    image_url: str | None = None
    video_url: str | None = None
    duration: float | None = None
    """Seconds."""
    mv: str | None = None
    seed: str | None = None

    @classmethod
    def of(cls, said: dict[str, object]) -> Self:
        """Fields of other types than these are taken as missing: the vendor's pages disagree, and a song is a song."""
        names = ("audio_url", "wav_url", "image_url", "video_url", "mv", "seed")
        texts = {name: _text(said.get(name)) for name in names}
        return cls(clip_id=_text(said.get("clip_id")) or "", duration=_seconds(said.get("duration")), **texts)


@dataclass(frozen=True, slots=True)
class Running:
    unknown_status: bool = False
    """The vendor used a word that this code does not know: it is taken for "not yet", and counted."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    clips: tuple[Clip, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    vendor_code: str | None
    refunded: bool | None
    """Whether the vendor says that it gave the credits back; None when it does not say."""


@dataclass(frozen=True, slots=True)
class NoSuchTask:
    http_status: int


@dataclass(frozen=True, slots=True)
class NoAnswer:
    reason: Reason
    http_status: int | None = None
    retry_after: float | None = None
    """Seconds that the vendor asked us to wait, if it did."""


TaskState = Running | Succeeded | Failed | NoSuchTask | NoAnswer


def _text(value: object) -> str | None:
    """What fits a row: text no longer than a URL may be, and that UTF-8 can carry."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < _LARGEST_SEED else None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
        return None
    return None if any("\ud800" <= character <= "\udfff" for character in value) else value


def _seconds(value: object) -> float | None:
    """A number, a decimal string or null: UPSTREAM's pages have all three."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return round(seconds, 3) if 0 <= seconds <= _LONGEST_SONG else None
