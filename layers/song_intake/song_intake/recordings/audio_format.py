"""What a recording is, by its first bytes. Its name and its Content-Type do not count: they are often wrong (UPSTREAM).

The formats and their marks: `ftyp` at offset 4 of an MP4 (ISO/IEC 14496-12), `RIFF....WAVE`, an ID3 tag, or the sync of
an MPEG audio frame with a layer (ISO/IEC 11172-3; AAC in ADTS has the same sync and no layer).
"""

from typing import Final

CONTENT_TYPES: Final = {"m4a": "audio/mp4", "mp3": "audio/mpeg", "wav": "audio/wav"}
MARK_BYTES: Final = 12
"""The first bytes that `format_of` needs."""


def format_of(first: bytes) -> str | None:
    """The format of a recording that begins with these bytes; None: it is no recording."""
    if first[4:8] == b"ftyp":
        return "m4a"
    if first[:4] == b"RIFF" and first[8:12] == b"WAVE":
        return "wav"
    if first[:3] == b"ID3" or _is_mpeg_frame(first):
        return "mp3"
    return None


def _is_mpeg_frame(first: bytes) -> bool:
    return len(first) > 1 and first[0] == 0xFF and first[1] & 0xE0 == 0xE0 and first[1] & 0x06 != 0
