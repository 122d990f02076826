"""The key of our webhook, read from Secrets Manager: the current version, and the one before it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from song_intake.aws_failure import AWS_FAILURES, code_of
from song_intake.webhook import WebhookKey

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# A rotated key is noticed this soon: before the shortest song, 20 seconds, that was sent with it can be done.
KEPT_SECONDS = 15.0


class KeyUnavailable(Exception):
    """The secret cannot be read, and no key is kept."""


class WebhookKeys:
    """Safe to share between threads."""

    def __init__(self, secrets: SecretsManagerClient, secret_id: str) -> None:
        self._secrets = secrets
        self._secret_id = secret_id
        self._lock = threading.Lock()
        self._kept: tuple[WebhookKey, ...] = ()
        self._read_at = 0.0

    def current_first(self) -> tuple[WebhookKey, ...]:
        """The current key, then the previous one if there is any; those kept, where they cannot be read. Raises
        KeyUnavailable.
        """
        with self._lock:
            if not self._kept or time.monotonic() - self._read_at > KEPT_SECONDS:
                try:
                    self._kept = self._read()
                except KeyUnavailable:
                    if not self._kept:
                        raise
                self._read_at = time.monotonic()
            return self._kept

    def _read(self) -> tuple[WebhookKey, ...]:
        current = self._version("AWSCURRENT")
        if current is None:
            raise KeyUnavailable("the secret of the webhook has no current version")
        previous = self._version("AWSPREVIOUS")
        return (current, previous) if previous else (current,)

    def _version(self, stage: str) -> WebhookKey | None:
        try:
            secret = self._secrets.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except self._secrets.exceptions.ResourceNotFoundException:
            return None
        except AWS_FAILURES as failure:
            raise KeyUnavailable(f"the secret of the webhook cannot be read ({code_of(failure)})") from None
        return WebhookKey.of(secret["SecretString"])
