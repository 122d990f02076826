"""The webhooks of the stand-in, as values: plans for their delivery, bodies, signatures, attempts."""

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
    """The delivery of the webhook of one task. It is due once the task has ended and its create was answered.

    `copies` are sent at the same time, 0: the webhook is lost. They are sent `delay` seconds after they are due.
    `early` means before the create is answered, and `held` not before `release_webhooks`.
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
    """Sent twice at the same moment with the same id, as at-least-once delivery allows."""
    return WebhookPlan(copies=2)


def late(seconds: float) -> WebhookPlan:
    """Sent `seconds` after polls show the end."""
    return WebhookPlan(delay=seconds)


def early() -> WebhookPlan:
    """The task ends at once, and its webhook is attempted before the answer to the create is sent."""
    return WebhookPlan(early=True)


def held() -> WebhookPlan:
    """Sent when the task has ended and the test has called `release_webhooks`."""
    return WebhookPlan(held=True)


def odd(*oddities: Oddity, plan: WebhookPlan = WebhookPlan()) -> WebhookPlan:
    """Sent according to `plan`, with a body that has all these oddities and a valid signature."""
    return replace(plan, oddities=oddities)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST of a webhook: `status` is the status of the response, or `error` is the cause if there was none."""

    headers: Mapping[str, str]
    status: int | None
    error: str | None = None

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and self.status // 100 == 2


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that was sent, or whose URL was refused: then `refused` is the reason.

    `attempts` are the completed ones, in the order of completion. Each has its own signature, and all have one id.
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
        """The headers of the latest attempt."""
        return self.attempts[-1].headers if self.attempts else {}

    @property
    def status(self) -> int | None:
        """The status of the latest response."""
        return self.attempts[-1].status if self.attempts else None

    def signed_headers(self, timestamp: int) -> dict[str, str]:
        """The headers of an attempt at that time (unix seconds)."""
        return {
            "Content-Type": "application/json",
            "X-Webhook-Id": self.webhook_id,
            "Idempotency-Key": self.webhook_id,
            "X-Webhook-Event": self.event,
            "X-Webhook-Timestamp": str(timestamp),
            "X-Webhook-Signature": "sha256=" + signature(self.secret, str(timestamp), self.body),
        }


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The vendor's signature: hexadecimal HMAC-SHA256 over `timestamp.body`, without the prefix `sha256=`."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def completed_body(task_id: str, clips: Sequence[Mapping[str, object]]) -> bytes:
    return _raw({"code": 200, "message": "success", "task_id": task_id, **_origin(Event.COMPLETED), "data": clips})


def failed_body(task_id: str, ending: Fails) -> bytes:
    members: dict[str, object] = {"type": ending.code, "message": ending.message}
    if ending.refunded is not None:
        members["refund_processed"] = ending.refunded
    return _raw({**members, "task_id": task_id, **_origin(Event.FAILED)})


def _origin(event: Event) -> dict[str, str]:
    return {"platform": "producer", "event": event}


def _raw(payload: Mapping[str, object]) -> bytes:
    # Not escaped to ASCII, so that a receiver that does not verify the raw bytes fails.
    return json.dumps(payload, ensure_ascii=False).encode(errors="replace")
