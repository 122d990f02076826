"""The webhooks of the stand-in, as values: what may become of one, what it says, how it is signed, what was sent."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tests.local.vendor.oddity import Oddity
from tests.local.vendor.story import Fails


class Event(StrEnum):
    COMPLETED = "song.completed"
    FAILED = "song.failed"


@dataclass(frozen=True, slots=True)
class WebhookPlan:
    """What becomes of the webhook of one task, which is due once the task has ended and its create was answered.

    `copies` go out side by side, 0: it is lost. It leaves `delay` seconds after it was due. `early` is before the
    create is answered, and `held` is not before `release_webhooks`.
    """

    copies: int = 1
    delay: float = 0.0
    early: bool = False
    held: bool = False
    oddities: tuple[Oddity, ...] = ()


def delivered() -> WebhookPlan:
    """Sent when the task ends."""
    return WebhookPlan()


def lost() -> WebhookPlan:
    """Never sent."""
    return WebhookPlan(copies=0)


def doubled() -> WebhookPlan:
    """Sent twice at the same moment, under the same id, as a sender does that cannot count on its own memory."""
    return WebhookPlan(copies=2)


def late(seconds: float) -> WebhookPlan:
    """Sent that long after polls could tell the end."""
    return WebhookPlan(delay=seconds)


def early() -> WebhookPlan:
    """The task ends at once, and its webhook is answered, or was in vain, before the answer to the create goes out."""
    return WebhookPlan(early=True)


def held() -> WebhookPlan:
    """Sent when the task has ended and the test has called `release_webhooks`."""
    return WebhookPlan(held=True)


def odd(*oddities: Oddity, plan: WebhookPlan = WebhookPlan()) -> WebhookPlan:
    """Sent as that plan has it, with a body that is odd in all these ways and signed as it is."""
    return replace(plan, oddities=oddities)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST of a webhook: `status` is the receiver's answer, or `error` says why there was none."""

    headers: Mapping[str, str]
    status: int | None
    error: str | None = None

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and self.status // 100 == 2


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that left, or was `refused` for where it would have gone: then the text says why.

    `attempts` are those that came to an end, in the order of their ends. Each is signed anew; the id stays.
    """

    webhook_id: str
    task_id: str
    title: str | None
    event: Event
    url: str
    secret: str = field(repr=False)
    body: bytes = field(repr=False)
    attempts: tuple[Attempt, ...] = ()
    refused: str | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """Those of the latest attempt."""
        return self.attempts[-1].headers if self.attempts else {}

    @property
    def status(self) -> int | None:
        """The receiver's latest answer."""
        return self.attempts[-1].status if self.attempts else None

    def signed_headers(self, timestamp: int) -> dict[str, str]:
        """The headers of an attempt at that time, in unix seconds."""
        return {
            "Content-Type": "application/json",
            "X-Webhook-Id": self.webhook_id,
            "Idempotency-Key": self.webhook_id,
            "X-Webhook-Event": self.event,
            "X-Webhook-Timestamp": str(timestamp),
            "X-Webhook-Signature": "sha256=" + signature(self.secret, str(timestamp), self.body),
        }


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The vendor's: hexadecimal HMAC-SHA256 over `timestamp.body`, without the prefix that goes before it."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def completed_body(task_id: str, clips: Sequence[Mapping[str, object]]) -> bytes:
    return _raw({"code": 200, "message": "success", "task_id": task_id, **_origin(Event.COMPLETED), "data": clips})


def failed_body(task_id: str, ending: Fails) -> bytes:
    said: dict[str, object] = {"type": ending.code, "message": ending.message}
    if ending.refunded is not None:
        said["refund_processed"] = ending.refunded
    return _raw({**said, "task_id": task_id, **_origin(Event.FAILED)})


def _origin(event: Event) -> dict[str, str]:
    return {"platform": "producer", "event": event}


def _raw(payload: Mapping[str, object]) -> bytes:
    # Not escaped to ASCII: a receiver that verifies anything but the bytes that came shall fail here.
    return json.dumps(payload, ensure_ascii=False).encode(errors="replace")
