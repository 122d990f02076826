"""Our webhook from the sender's side: the address and the secret that go along with a create."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from song_intake.webhook import addressed
from song_intake.webhook_keys import WebhookKeys

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from song_intake.settings import Settings
    from song_intake.song_request import SongRequest


@dataclass(frozen=True, slots=True)
class OurWebhook:
    """Safe to share between threads."""

    endpoint: str
    keys: WebhookKeys
    window: float
    """Seconds that a message waits for the webhook once its request is in doubt."""

    @classmethod
    def of(cls, settings: Settings, secrets: SecretsManagerClient) -> Self | None:
        """None where the webhook is switched off."""
        if settings.webhook_url is None or settings.webhook_key_secret_arn is None:
            return None
        keys = WebhookKeys(secrets, settings.webhook_key_secret_arn)
        return cls(settings.webhook_url, keys, settings.resolution_window)

    def covers(self, request: SongRequest) -> bool:
        """Whether the end of this song is told here: not if its caller has a webhook of its own.

        Nor for an id that is a relative path: clients take such a segment out of an address, and nothing would come.
        """
        return not request.has_own_webhook and request.request_id not in (".", "..")

    def addressed(self, request: SongRequest) -> bytes:
        """The create body, with our webhook in it where it is covered. Raises KeyUnavailable."""
        if not self.covers(request):
            return request.create_body
        return addressed(request.create_body, request.request_id, self.endpoint, self.keys.current_first()[0])
