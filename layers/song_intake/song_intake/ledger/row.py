"""The row of one request: how it is read from a DynamoDB item, and what of a request is written. It holds no prompt."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Self

from song_intake.domain.frozen import frozen
from song_intake.domain.reason import CLOSING
from song_intake.domain.recording import Keeping, Recording
from song_intake.domain.status import Status
from song_intake.domain.task import Clip
from song_intake.domain.trace import Trace

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from song_intake.contract.song_request import SongRequest

    Values = dict[str, AttributeValueTypeDef]

TRANSIENT_ATTRIBUTES = (
    "reason, detail, http_status, vendor_code, lease_until, doubt, doubt_until, end_published, doubt_published"
)
"""What a row holds only while it waits, is in doubt or is rejected: removed with the next status."""


@frozen
class Row:
    """A request as it stands. Times are seconds since 1970."""

    request_id: str
    status: Status
    fingerprint: str | None
    """None: an operator cancelled the request before a message of it was received."""
    owner: str | None
    lease_until: float
    doubt_until: float
    """Until when the vendor's webhook may still settle a doubt."""
    message_id: str | None
    """The delivery that claimed the request last, or was given up."""
    first_message_id: str | None
    """The id that this delivery's message had when its sender sent it."""
    task_id: str | None
    reason: str | None
    detail: str | None
    http_status: int | None
    vendor_code: str | None
    metadata: Mapping[str, str]
    task_tokens: tuple[str, ...] = field(repr=False)
    """Of the Step Functions tasks that wait for the song."""
    changed_at: float
    """When it last changed its status."""
    clips: tuple[Clip, ...]
    refunded: bool | None
    submission_unpublished: bool
    """Whether others than submit_song named the task, and Song Submitted was not published since."""
    resolved_by: str | None
    """The operator whose decision was applied last."""
    named_by: str | None
    """The operator who named the task, which may be replaced until its song ends; None if no operator did."""
    end_published: bool
    """Whether the event of the song's end was published, or that of an operator's decision that there is no song."""
    tracking_hint: str | None
    """The hint whose check tracks the song, or did last; None if a check without a hint does."""
    doubt_published: str | None
    """The reason for which Song In Doubt was published when the song was given up."""
    expires_at: float | None
    """When DynamoDB deletes the row; None: never."""
    keeping: Keeping | None
    """How far the copying of the recordings is; None: they are not copied."""
    keeping_ordered: bool
    """Whether the message that has them copied was sent."""
    keeping_published: bool
    """Whether the event of the copying's end was published."""
    keeping_detail: str | None
    """Why not every recording could be copied."""
    recordings: tuple[Recording, ...]
    """The copies that are made."""
    trace_id: str | None = None
    """The trace of the caller whose message came first with one."""

    @property
    def trace(self) -> Trace | None:
        """The trace of the request."""
        return Trace.of_id(self.trace_id)

    @property
    def awaits_recordings(self) -> bool:
        """Whether the tasks that wait for the song wait for its recordings too."""
        return self.keeping is Keeping.PENDING

    @property
    def is_notified(self) -> bool:
        """Whether every follow-up of the row's final status was sent, but for those of its recordings."""
        is_sent = self.end_published and not self.submission_unpublished
        return is_sent and (self.keeping_ordered if self.awaits_recordings else not self.task_tokens)

    @property
    def is_closed(self) -> bool:
        """Whether no song was created and none will be, whatever is sent or redriven."""
        return self.status is Status.REJECTED and self.reason in CLOSING

    def lease_is_over(self) -> bool:
        """Whether the claim has lived longer than any function may: its sender is dead, or will never say more."""
        return self.status is Status.SUBMITTING and time.time() > self.lease_until

    @classmethod
    def of(cls, item: Mapping[str, AttributeValueTypeDef]) -> Self:
        """Raises KeyError or ValueError for an item that this code did not write."""
        http_status = _number(item, "http_status")
        return cls(
            request_id=item["request_id"]["S"],
            status=Status(item["status"]["S"]),
            fingerprint=_string(item, "fingerprint"),
            owner=_string(item, "owner"),
            lease_until=_number(item, "lease_until") or 0.0,
            doubt_until=_number(item, "doubt_until") or 0.0,
            message_id=_string(item, "message_id"),
            task_id=_string(item, "task_id"),
            reason=_string(item, "reason"),
            detail=_string(item, "detail"),
            http_status=None if http_status is None else int(http_status),
            vendor_code=_string(item, "vendor_code"),
            metadata={name: text["S"] for name, text in item.get("metadata", {}).get("M", {}).items()},
            first_message_id=_string(item, "first_message_id") or _string(item, "message_id"),
            task_tokens=tuple(sorted(item.get("task_tokens", {}).get("SS", ()))),
            changed_at=datetime.fromisoformat(item["updated_at"]["S"]).timestamp() if "updated_at" in item else 0.0,
            clips=tuple(_clip(one["M"]) for one in item.get("clips", {}).get("L", ())),
            refunded=item.get("refunded", {}).get("BOOL"),
            submission_unpublished=item.get("submission_unpublished", {}).get("BOOL", False),
            resolved_by=_string(item, "resolved_by"),
            named_by=_string(item, "named_by"),
            end_published=item.get("end_published", {}).get("BOOL", False),
            tracking_hint=_string(item, "tracking_hint"),
            doubt_published=_string(item, "doubt_published"),
            expires_at=_number(item, "expires_at"),
            keeping=Keeping(item["keeping"]["S"]) if "keeping" in item else None,
            keeping_ordered=item.get("keeping_ordered", {}).get("BOOL", False),
            keeping_published=item.get("keeping_published", {}).get("BOOL", False),
            keeping_detail=_string(item, "keeping_detail"),
            recordings=tuple(_recording(one["M"]) for one in item.get("recordings", {}).get("L", ())),
            trace_id=_string(item, "trace_id"),
        )


def _string(item: Mapping[str, AttributeValueTypeDef], name: str) -> str | None:
    return item[name]["S"] if name in item else None


def _number(item: Mapping[str, AttributeValueTypeDef], name: str) -> float | None:
    return float(item[name]["N"]) if name in item else None


def _clip(item: Mapping[str, AttributeValueTypeDef]) -> Clip:
    names = ("audio_url", "wav_url", "image_url", "video_url", "mv", "seed")
    texts = {name: _string(item, name) for name in names}
    return Clip(clip_id=item["clip_id"]["S"], duration=_number(item, "duration"), **texts)


def _recording(item: Mapping[str, AttributeValueTypeDef]) -> Recording:
    texts = {name: item[name]["S"] for name in ("clip_id", "format", "bucket", "key", "sha256")}
    return Recording(bytes=int(item["bytes"]["N"]), **texts)


def identity(
    request: SongRequest, message_id: str, first_message_id: str | None = None, trace: Trace | None = None
) -> Values:
    """Which request it is, and which message brought it, under the id of this delivery and under its first one."""
    values: Values = {
        "fingerprint": {"S": request.fingerprint},
        "message_id": {"S": message_id},
        "first_message_id": {"S": first_message_id or message_id},
        "metadata": {"M": {name: {"S": text} for name, text in request.metadata.items()}},
    }
    return {**values, "trace_id": {"S": trace.trace_id}} if trace else values


def identity_change(who: Values) -> str:
    """Sets the values of `identity` in an update expression. A request keeps the trace that it has."""
    changes = {name: f"{name} = :{name}" for name in who}
    if "trace_id" in who:
        changes["trace_id"] = "trace_id = if_not_exists(trace_id, :trace_id)"
    return ", ".join(changes.values())


def placeholders(values: Values) -> Values:
    """The values under the names that an update expression uses."""
    return {f":{name}": value for name, value in values.items()}


def doubt_for(window: float) -> Values:
    """A new doubt, which a webhook may settle for `window` seconds.

    `doubt` is the key of the sparse index that lists what is in doubt; only such rows have it.
    """
    # Rounded down: a window of 0 is over at once.
    until = math.floor((time.time() + window) * 1000) / 1000
    return {":doubt": {"S": Status.IN_DOUBT}, ":doubt_until": {"N": f"{until:.3f}"}}
