"""Our webhook at the music API: an address and a secret that name one request, and how a call to it is verified.

    webhook_url     <endpoint>/<request_id>/<mac>     mac    = HMAC-SHA256(key, "path:" + request_id)
    webhook_secret                                    secret = HMAC-SHA256(key, "secret:" + request_id)

Both come from one generated key, so nothing is stored for a request. The key's previous version is good too, so that it
can be rotated while songs are being made.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from song_intake import strict_json

LARGEST_BODY_BYTES = 1024 * 1024
# How far the vendor's clock and ours may be apart, and so how long a recorded call could be replayed.
TIMESTAMP_TOLERANCE_SECONDS = 300
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_TASK_ID = re.compile(r"[\x21-\x7e]{1,256}")


@dataclass(frozen=True, slots=True)
class WebhookKey:
    """One version of the key."""

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> Self:
        return cls(text.encode())

    def path_mac(self, request_id: str) -> str:
        return self._hmac(f"path:{request_id}".encode())

    def secret(self, request_id: str) -> str:
        return self._hmac(f"secret:{request_id}".encode())

    def _hmac(self, text: bytes) -> str:
        return hmac.new(self.key, text, hashlib.sha256).hexdigest()


def addressed(create_body: bytes, request_id: str, endpoint: str, key: WebhookKey) -> bytes:
    """The create body with our webhook in it."""
    request = json.loads(create_body)
    request["webhook_url"] = f"{endpoint}/{request_id}/{key.path_mac(request_id)}"
    request["webhook_secret"] = key.secret(request_id)
    return strict_json.canonical(request)


@dataclass(frozen=True, slots=True)
class Call:
    """A call to the endpoint, as it came: names of headers in lower case, the body raw."""

    request_id: str
    mac: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def key_of(call: Call, keys: Sequence[WebhookKey]) -> WebhookKey | None:
    """The key under which this call's address was made; None for an address that is not ours.

    Every key is tried whatever the first says, so that the time taken tells nothing.
    """
    fitting = [key for key in keys if hmac.compare_digest(key.path_mac(call.request_id).encode(), _bytes(call.mac))]
    return fitting[0] if fitting else None


def task_id_of(call: Call, key: WebhookKey) -> str | None:
    """The task that an authentic, fresh call names; None for any other. It is a hint: the poll is the truth."""
    if len(call.body) > LARGEST_BODY_BYTES or not _is_authentic(call, key):
        return None
    try:
        said = strict_json.parse(call.body.decode())
    except ValueError:
        return None
    task_id = said.get("task_id") if isinstance(said, dict) else None
    return task_id if isinstance(task_id, str) and _TASK_ID.fullmatch(task_id) else None


def _is_authentic(call: Call, key: WebhookKey) -> bool:
    timestamp = call.headers.get("x-webhook-timestamp", "")
    signed = f"{timestamp}.".encode(errors="replace") + call.body
    expected = "sha256=" + hmac.new(key.secret(call.request_id).encode(), signed, hashlib.sha256).hexdigest()
    is_signed = hmac.compare_digest(expected.encode(), _bytes(call.headers.get("x-webhook-signature", "")))
    return is_signed and _is_fresh(timestamp)


def _is_fresh(timestamp: str) -> bool:
    if not _TIMESTAMP.fullmatch(timestamp):
        return False
    return abs(time.time() - int(timestamp)) <= TIMESTAMP_TOLERANCE_SECONDS


def _bytes(text: str) -> bytes:
    """compare_digest refuses text beyond ASCII, which a forger may well send."""
    return text.encode(errors="replace")
