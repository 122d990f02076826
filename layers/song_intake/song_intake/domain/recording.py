"""The copies of a song's recordings in the owner's bucket, and how far the copying is."""

from enum import StrEnum

from song_intake.domain.frozen import frozen


@frozen
class Recording:
    """One object of the bucket: the bytes of one clip, in one format."""

    clip_id: str
    format: str
    """What its first bytes are: m4a, mp3 or wav."""
    bucket: str
    key: str
    bytes: int
    sha256: str
    """In hexadecimal digits."""

    @property
    def uri(self) -> str:
        """Its address for the tools of S3."""
        return f"s3://{self.bucket}/{self.key}"


class Keeping(StrEnum):
    """How far the copying of a song's recordings is.

    (none) --the song succeeded--> PENDING --every copy is made--> KEPT
    PENDING --a recording cannot be had--> GIVEN_UP --its dead letter is redriven--> PENDING
    """

    PENDING = "PENDING"
    KEPT = "KEPT"
    GIVEN_UP = "GIVEN_UP"
