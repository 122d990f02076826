"""A clip's recording in the owner's bucket."""

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
