"""How a call to the webhook is verified, and what an authentic one says.

The address and the secret of the webhook are in webhook.py. A function that only sends does not load this module.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from song_intake.domain.frozen import frozen
from song_intake.music_api.answer import object_in, task_id_in

if TYPE_CHECKING:
    from song_intake.aws.signing_key import SigningKey

LARGEST_BODY_BYTES = 1024 * 1024

TIMESTAMP_TOLERANCE_SECONDS = 300
"""How far the vendor's clock and this one may differ, and so how long a recorded call could be replayed."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SCHEME = b"sha256="


@frozen
class WebhookCall:
    """A call to the endpoint as it arrived: header names in lower case, the body raw."""

    request_id: str
    mac: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@frozen
class WebhookHint:
    """What an authentic call names. It is a hint: the poll decides."""

    task_id: str
    is_late: bool
    """Whether the call is older than TIMESTAMP_TOLERANCE_SECONDS: delayed, or recorded and sent again."""


def key_of(call: WebhookCall, keys: Sequence[SigningKey]) -> SigningKey | None:
    """The key from which the address of this call was derived; None for any other address.

    Every key is tried whatever the first one gives, so that the time taken reveals nothing.
    """
    mac = _bytes(call.mac).lower()
    matching = [key for key in keys if hmac.compare_digest(key.path_mac(call.request_id).encode(), mac)]
    return matching[0] if matching else None


def hint_of(call: WebhookCall, key: SigningKey) -> WebhookHint | None:
    """What an authentic call names; None for any other call.

    The body is read as generously as the response to a poll: its sender is proved, so strictness protects nothing.
    """
    timestamp = call.headers.get("x-webhook-timestamp", "")
    if len(call.body) > LARGEST_BODY_BYTES or not _is_signed(call, key, timestamp):
        return None
    age = _age_of(timestamp)
    task_id = task_id_in(object_in(call.body))
    if age is None or age < -TIMESTAMP_TOLERANCE_SECONDS or task_id is None:
        return None
    return WebhookHint(task_id, is_late=age > TIMESTAMP_TOLERANCE_SECONDS)


def _is_signed(call: WebhookCall, key: SigningKey, timestamp: str) -> bool:
    signed = _bytes(f"{timestamp}.") + call.body
    expected = hmac.new(key.secret(call.request_id).encode(), signed, hashlib.sha256).hexdigest()
    given = _bytes(call.headers.get("x-webhook-signature", ""))
    scheme, digest = given[: len(_SCHEME)], given[len(_SCHEME) :]
    return hmac.compare_digest(_SCHEME + expected.encode(), scheme + digest.lower())


def _age_of(timestamp: str) -> float | None:
    """Seconds; negative for the future. None if it is no timestamp."""
    return time.time() - int(timestamp) if _TIMESTAMP.fullmatch(timestamp) else None


def _bytes(text: str) -> bytes:
    """compare_digest refuses text beyond ASCII, which a forger may send."""
    return text.encode(errors="replace")
