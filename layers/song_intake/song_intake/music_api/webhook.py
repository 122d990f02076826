"""The webhook that the music API is asked to call: an address and a secret that name one request.

    webhook_url     <endpoint>/<request_id>/<mac>     the address
    webhook_secret                                    the secret of the signature

Both are derived from the stack's signing key (aws/signing_key.py), so nothing is stored per request. webhook_call.py
verifies the calls.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.contract import strict_json

if TYPE_CHECKING:
    from song_intake.aws.signing_key import SigningKey, SigningKeys
    from song_intake.contract.song_request import SongRequest


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WebhookConfig:
    """The stack's webhook from the sender's side. Safe to share between threads."""

    endpoint: str
    keys: SigningKeys
    window: float
    """Seconds that a message waits for the webhook once its request is in doubt."""

    def covers(self, request: SongRequest) -> bool:
        """Whether the music API calls this webhook for the song: not if the request has a webhook of its own.

        Nor for an id that is a relative path: HTTP clients remove such a segment, and the call would never arrive.
        """
        return not request.has_own_webhook and request.request_id not in (".", "..")

    def window_for(self, request: SongRequest) -> float:
        """Seconds for which this webhook may settle a doubt about the request; none if it does not cover it."""
        return self.window if self.covers(request) else 0

    def with_webhook(self, request: SongRequest) -> bytes:
        """The create body, with the webhook added if it covers the request. Raises KeyUnavailable."""
        if not self.covers(request):
            return request.create_body
        return with_webhook(request.create_body, request.request_id, self.endpoint, self.keys.current_first()[0])


def no_window(_request: SongRequest) -> float:
    """The window if the webhook is switched off: 0 seconds."""
    return 0


def with_webhook(create_body: bytes, request_id: str, endpoint: str, key: SigningKey) -> bytes:
    """The create body with the webhook of this request added."""
    request = json.loads(create_body)
    request["webhook_url"] = f"{endpoint}/{request_id}/{key.path_mac(request_id)}"
    request["webhook_secret"] = key.secret(request_id)
    return strict_json.canonical(request)
