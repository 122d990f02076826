"""Calls to a webhook's address, and genuine ones, which a receiver has to accept."""

import hmac
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from tests.local.webhooks.transport import Destination, send_request

SIGNATURE: Final = "X-Webhook-Signature"
TIMESTAMP: Final = "X-Webhook-Timestamp"
PREFIX: Final = b"sha256="


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """`path` is as in the request line; header values are bytes, since a forger may send any.

    `is_authentic` means that address, signature and time are right: the sender has the secret.
    """

    name: str
    method: str
    path: str
    headers: Mapping[str, bytes] = field(repr=False)
    body: bytes = field(repr=False)
    is_authentic: bool = False

    def send(self, to: Destination) -> int:
        """Sends the call to that host, with its own path, and returns the status. Raises as `send_request` does."""
        return send_request(replace(to, target=self.path), self.method, self.headers.items(), self.body)

    def with_header(self, name: str, value: bytes | None) -> Self:
        """The same call with that header, or without it for None."""
        others = {other: text for other, text in self.headers.items() if other != name}
        return replace(self, headers=others if value is None else {**others, name: value})


@dataclass(frozen=True, slots=True)
class Genuine:
    """One request's address and secret, and a body that the vendor would send there: a JSON object.

    The mac is hexadecimal.
    """

    request_id: str
    mac: str
    secret: str = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """Below the endpoint's root."""
        return f"/{self.request_id}/{self.mac}"

    def call(self, *, body: bytes | None = None, timestamp: bytes | None = None) -> WebhookCall:
        """The call as the vendor would send it at this moment; a given body or timestamp is signed too."""
        body = self.body if body is None else body
        timestamp = unix_time(time.time()) if timestamp is None else timestamp
        webhook_id = str(uuid.uuid4()).encode()
        headers = {
            "Content-Type": b"application/json",
            "X-Webhook-Id": webhook_id,
            "Idempotency-Key": webhook_id,
            "X-Webhook-Event": b"song.completed",
            TIMESTAMP: timestamp,
            SIGNATURE: PREFIX + self.sign(timestamp + b"." + body),
        }
        return WebhookCall("genuine", "POST", self.path, headers, body, is_authentic=True)

    def sign(self, text: bytes) -> bytes:
        return hex_mac(self.secret.encode(), text)


def hex_mac(key: bytes, text: bytes, digest: str = "sha256") -> bytes:
    return hmac.new(key, text, digest).hexdigest().encode()


def unix_time(seconds: float) -> bytes:
    return str(int(seconds)).encode()
