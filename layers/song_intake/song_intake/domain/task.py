"""The state of a task by one poll, as values: both generations of the vendor's responses become one of these.

Running     not done yet, or reported in a form that this code does not know
Succeeded   the song is ready: its clips
Failed      there will be no song
NoSuchTask  the vendor does not know the task at the moment
NoAnswer    the vendor reported nothing of the task: it was not reached, was busy, or refused the token
"""

from typing import Self

from song_intake.domain.frozen import frozen
from song_intake.domain.link import usable_link
from song_intake.domain.reason import Reason

# Far beyond any real song. With these bounds a row stays below DynamoDB's 400 KB, and an event below EventBridge's
# 256 KB, whatever the vendor sends: 10 clips of four links of 2,048 bytes, and of three texts of 256 bytes.
MOST_CLIPS = 10
_LONGEST_TEXT_BYTES = 256
_LARGEST_SEED = 10**20
_LONGEST_SONG = 86_400.0

LINKS = ("audio_url", "wav_url", "image_url", "video_url")


@frozen
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
    def of(cls, members: dict[str, object]) -> Self:
        """The clip from the vendor's members. A malformed optional field is left out, and so is a refused link."""
        return cls(
            clip_id=_text(members.get("clip_id")) or "",
            duration=_seconds(members.get("duration")),
            mv=_text(members.get("mv")),
            seed=_text(members.get("seed")),
            **{name: usable_link(members.get(name)) for name in LINKS},
        )


def refused_links(members: dict[str, object]) -> int:
    """How many links of a clip are given, but not usable."""
    given = [members[name] for name in LINKS if members.get(name) not in (None, "")]
    return sum(usable_link(link) is None for link in given)


@frozen
class Running:
    unknown_status: bool = False
    """The vendor used a word or a shape that this code does not know. It counts as "not yet", and has a metric."""


@frozen
class Succeeded:
    clips: tuple[Clip, ...]
    links_refused: int = 0
    """How many links were left out because they are not usable."""


@frozen
class Failed:
    vendor_code: str | None
    refunded: bool | None
    """Whether the vendor reports that it returned the credits; None if it reports neither."""


@frozen
class NoSuchTask:
    http_status: int


@frozen
class NoAnswer:
    reason: Reason
    http_status: int | None = None
    retry_after: float | None = None
    """Seconds that the vendor asked us to wait, if it did."""


Unfinished = Running | NoSuchTask | NoAnswer
TaskState = Succeeded | Failed | Unfinished


def _text(value: object) -> str | None:
    """A short text that UTF-8 can carry, without control characters."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < _LARGEST_SEED else None
    if not isinstance(value, str) or not value or not value.isprintable():
        return None
    return value if len(value.encode()) <= _LONGEST_TEXT_BYTES else None


def _seconds(value: object) -> float | None:
    """A number, a decimal string or null: the vendor's pages have all three."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return round(seconds, 3) if 0 <= seconds <= _LONGEST_SONG else None
