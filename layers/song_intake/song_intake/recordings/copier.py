"""Copies one clip's recording from the vendor's link to the owner's bucket, without holding it in memory."""

from __future__ import annotations

import hashlib
import ssl
from contextlib import AbstractContextManager
from dataclasses import dataclass

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.music_api.answer import retry_after_seconds
from song_intake.music_api.deadline import Deadline
from song_intake.recordings.audio_format import CONTENT_TYPES, MARK_BYTES, format_of
from song_intake.recordings.bucket import Bucket
from song_intake.recordings.download import Download, HostFailed, NoRecording, opened
from song_intake.recordings.source import SourceRefused, Sources

SMALLEST_BYTES = 1_000
"""Fewer bytes are no recording (UPSTREAM.md, "The recording")."""


@frozen
class Copied:
    """The recording is in the bucket, by this copy or an earlier one."""

    bucket: str
    key: str
    format: str
    bytes: int
    sha256: str


@frozen
class NotYet:
    """There is no recording at present: ask again. `retry_after`: the seconds for which its host asked."""

    reason: Reason
    detail: str
    retry_after: float | None = None


@frozen
class Unusable:
    """The link leads to no recording that may be kept, and never will."""

    reason: Reason
    detail: str


Result = Copied | NotYet | Unusable


class _TooLarge(Exception):
    """The recording is larger than the limit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RecordingCopier:
    """Safe to share between threads."""

    sources: Sources
    bucket: Bucket
    tls: ssl.SSLContext
    largest_bytes: int
    """The limit for one recording."""

    def copy(self, link: str, name: str, seconds: float) -> Result:
        """Copy what the link leads to. No text of the result has the link, which may be signed.

        name: the object's key without its extension, which the format of the recording decides.
        seconds: in which the recording must have been read.
        """
        try:
            deadline = Deadline(seconds)
            with self._opened(link, deadline) as download:
                body = CheckedBody(download, self.largest_bytes)
                return self._stored(body, f"{name}.{body.format}")
        except SourceRefused as refused:
            return Unusable(Reason.RECORDING_UNAVAILABLE, str(refused))
        except _TooLarge:
            limit = f"the recording is larger than {self.largest_bytes:,} bytes (LargestRecordingMiB)"
            return Unusable(Reason.RECORDING_UNAVAILABLE, limit)
        except NoRecording as answer:
            return NotYet(Reason.RECORDING_UNAVAILABLE, str(answer))
        except HostFailed as failure:
            return NotYet(Reason.CDN_UNAVAILABLE, str(failure), retry_after_seconds(failure.retry_after))
        except AWS_FAILURES as failure:
            return NotYet(Reason.BUCKET_UNAVAILABLE, f"the bucket did not take the recording ({code_of(failure)})")

    def _opened(self, link: str, deadline: Deadline) -> AbstractContextManager[Download]:
        return opened(link, self.sources, self.tls, deadline, self.largest_bytes)

    def _stored(self, body: CheckedBody, key: str) -> Copied:
        if self.bucket.put(key, body, CONTENT_TYPES[body.format]):
            return Copied(self.bucket.name, key, body.format, body.size, body.sha256)
        # An earlier copy, whose row was not written. The vendor may encode a song anew, so its bytes count, not ours.
        size, sha256 = self.bucket.stored(key)
        return Copied(self.bucket.name, key, body.format, size, sha256)


class CheckedBody:
    """A download that is a recording, to its end. A read raises NoRecording, HostFailed or _TooLarge if it is not.

    So an upload that reads it to the end has uploaded a whole recording.
    """

    def __init__(self, download: Download, largest_bytes: int) -> None:
        if (download.length or 0) > largest_bytes:
            raise _TooLarge
        self._download = download
        self._largest_bytes = largest_bytes
        self._digest = hashlib.sha256()
        self._first = download.read(MARK_BYTES)
        self.size = 0
        """The bytes that were read."""
        self.format = self._checked_format()

    @property
    def sha256(self) -> str:
        """Of the bytes that were read, in hexadecimal digits."""
        return self._digest.hexdigest()

    def read(self, amount: int = -1, /) -> bytes:
        """The next bytes: `amount` of them but at the end; a negative amount stands for all that is allowed."""
        wanted = amount if amount >= 0 else self._largest_bytes + 1
        received, self._first = self._first[:wanted], self._first[wanted:]
        while len(received) < wanted and (more := self._download.read(wanted - len(received))):
            received += more
        self.size += len(received)
        self._digest.update(received)
        if self.size > self._largest_bytes:
            raise _TooLarge
        if len(received) < wanted and self.size < SMALLEST_BYTES:
            raise NoRecording(f"the body has only {self.size} bytes")
        return received

    def _checked_format(self) -> str:
        found = format_of(self._first)
        if found is None:
            raise NoRecording("the body is no m4a, mp3 or wav")
        return found
