"""Order songs from a song intake stack, and read what became of them.

    songs = SongIntake(queue_url, table_name)  # the stack's outputs SongRequestsQueueUrl and LedgerTableName
    request_id = songs.send({"sound": "slow folk, nylon guitar"}, request_id="order-4711:song-1")
    song = songs.wait(request_id)
    if song.status == "SUCCEEDED":
        print(song.clips[0]["audio_url"])

One module that needs only boto3: add the stack's layer `song-client` to a function, or copy this file.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypedDict

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ENDED: Final = frozenset(("SUCCEEDED", "FAILED", "REJECTED"))
"""The statuses after which nothing more happens without a person's decision."""

LARGEST_BODY_BYTES: Final = 64 * 1024
"""A larger request becomes a dead letter with the reason INVALID_REQUEST."""

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
# The attributes of a row that the stack publishes. The others are its own, and may change.
_PUBLISHED: Final = (
    "request_id",
    "#status",
    "task_id",
    "reason",
    "detail",
    "clips",
    "recordings",
    "metadata",
    "refunded",
    "updated_at",
)
_FIRST_WAIT: Final = 2.0
_LONGEST_WAIT: Final = 15.0
_GROWTH: Final = 1.5
# The SDK repeats a send with the same body, so with the same request_id.
_CONFIG: Final = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=3, read_timeout=10)


class SongRequest(TypedDict, total=False):
    """The body of a message. At least one of `sound` and `lyrics` is required."""

    task_type: str
    sound: str
    lyrics: str
    title: str
    mv: str
    seed: str
    make_instrumental: bool
    lyrics_strength: float
    sound_strength: float
    weirdness: float
    webhook_url: str
    webhook_secret: str
    request_id: str
    metadata: Mapping[str, str]
    task_token: str
    not_after: str | float


class Clip(TypedDict, total=False):
    """One version of the song, at the music API's own links. How long these live is not published."""

    clip_id: str
    audio_url: str
    wav_url: str
    image_url: str
    video_url: str
    duration: float
    mv: str
    seed: str


@dataclass(frozen=True)
class Song:
    """What the stack knows of one request."""

    request_id: str
    status: str
    """SUBMITTING, RETRYING, SUBMITTED, IN_DOUBT, SUCCEEDED, FAILED or REJECTED."""
    task_id: str | None = None
    reason: str | None = None
    """Why it is not SUCCEEDED: a code of the tables in functions/OPERATE.md."""
    detail: str | None = None
    clips: tuple[Clip, ...] = ()
    recordings: tuple[Mapping[str, Any], ...] = ()
    """The copies in the stack's bucket: clip_id, format, bucket, key, bytes, sha256."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    refunded: bool | None = None
    """Of a FAILED song: whether the music API reported that it returned the credits."""
    updated_at: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens without a person's decision."""
        return self.status in ENDED


class NotSent(Exception):
    """SQS did not confirm the request. Send it again with this `request_id`: it is one song, even if SQS has both."""

    def __init__(self, request_id: str, cause: Exception) -> None:
        super().__init__(f"SQS did not confirm the request {request_id} ({cause})")
        self.request_id = request_id


class NotEnded(TimeoutError):
    """The song has not ended in time. `song`: what the stack knows of it; None if it has not received the request, or
    has refused the message as invalid."""

    def __init__(self, request_id: str, song: Song | None, seconds: float) -> None:
        status = song.status if song else "unknown"
        super().__init__(f"the song {request_id} has not ended within {seconds:g} seconds; its status is {status}")
        self.song = song


class SongIntake:
    """One deployed stack. Safe to share between threads; make it once, outside of a handler."""

    def __init__(self, queue_url: str, table_name: str | None = None, session: boto3.Session | None = None) -> None:
        """table_name: only `song` and `wait` need it."""
        session = session or boto3.Session()
        self._queue_url = queue_url
        self._table_name = table_name
        self._sqs = session.client("sqs", config=_CONFIG)
        self._dynamodb = session.client("dynamodb", config=_CONFIG) if table_name else None

    def send(self, song: SongRequest, request_id: str | None = None, traceparent: str | None = None) -> str:
        """Send a request, and return its request_id.

        request_id: one song is created for it, however often it is sent. Make it from what the song is for, such as an
        order's number: then a caller that is itself repeated orders no second song. Without one, here or in `song`, a
        random id is made for this call, and its retries keep it.

        traceparent: the caller's trace in the form of W3C. The stack passes it on to the music API and to its events.

        Raises ValueError for a request that the stack would refuse by its id or size, and NotSent.
        """
        if request_id is None:
            request_id = song.get("request_id")
        # Not for an empty id: a caller who makes it by mistake, and is repeated, would pay twice for a random one.
        if request_id is None:
            request_id = f"song-{uuid.uuid4()}"
        if not (isinstance(request_id, str) and _REQUEST_ID.fullmatch(request_id)):
            raise ValueError(f"request_id {request_id!r} is not 1 to 128 of A-Z a-z 0-9 . _ : -")
        body = json.dumps({**song, "request_id": request_id}, allow_nan=False, ensure_ascii=False)
        if len(body.encode()) > LARGEST_BODY_BYTES:
            raise ValueError(f"the request {request_id} is larger than {LARGEST_BODY_BYTES} bytes")
        trace: Any = {"traceparent": {"DataType": "String", "StringValue": traceparent}} if traceparent else {}
        try:
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=body, MessageAttributes=trace)
        except (BotoCoreError, ClientError) as failure:
            raise NotSent(request_id, failure) from failure
        return request_id

    def song(self, request_id: str) -> Song | None:
        """What the stack knows of the request; None if it has not received it yet, or has refused it as invalid."""
        if self._dynamodb is None or self._table_name is None:
            raise ValueError("reading a song needs the name of the table")
        item = self._dynamodb.get_item(
            TableName=self._table_name,
            Key={"request_id": {"S": request_id}},
            ProjectionExpression=", ".join(_PUBLISHED),
            ExpressionAttributeNames={"#status": "status"},
        ).get("Item")
        return _song(item) if item else None

    def wait(self, request_id: str, seconds: float = 600.0) -> Song:
        """Wait until the song has ended, and return it. Raises NotEnded.

        Most songs take 20 to 80 seconds, plus their time in the queue. A backend that handles many songs listens to
        the stack's events instead.
        """
        deadline = time.monotonic() + seconds
        pause = _FIRST_WAIT
        while True:
            song = self.song(request_id)
            if song and song.has_ended:
                return song
            left = deadline - time.monotonic()
            if left <= 0:
                raise NotEnded(request_id, song, seconds)
            time.sleep(min(pause, left))
            pause = min(pause * _GROWTH, _LONGEST_WAIT)


def _song(item: Mapping[str, Any]) -> Song:
    decode = TypeDeserializer().deserialize
    values = {name: _plain(decode(value)) for name, value in item.items()}
    for name in ("clips", "recordings"):
        values[name] = tuple(values.get(name, ()))
    return Song(**values)


def _plain(value: Any) -> Any:
    """The value without Decimals, which json.dumps refuses."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value
