"""The music API's token: read from Secrets Manager, kept in memory, fetched afresh when the API refuses it.

The secret is the token itself, or JSON with it under "api_token". Neither is ever logged or put into an error.
"""

from __future__ import annotations

import json
import math
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from song_intake.aws_failure import AWS_FAILURES, code_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# What a bearer token may consist of (RFC 6750, 2.1), generously: but no space, and no line break to end the header.
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


FAILURE_SHARED_SECONDS = 1.0


class TokenUnavailable(Exception):
    """The secret cannot be read, or holds no token."""


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)
    generation: int
    """Which fetch brought it: many threads that were refused the same one need only one fetch."""


class ApiToken:
    """One token for all threads of the process."""

    def __init__(self, secrets: SecretsManagerClient, secret_id: str) -> None:
        # When a fetch failed last: threads that waited for it share its failure instead of each waiting for its own.
        self._failed_at = -math.inf
        self._secrets = secrets
        self._secret_id = secret_id
        self._lock = threading.Lock()
        self._kept: Token | None = None

    def current(self) -> Token:
        """The token kept, or a fetched one. Raises TokenUnavailable when there is neither."""
        with self._lock:
            return self._kept or self._fetch()

    def refresh(self, refused: Token) -> Token:
        """The token after this one was refused; the same one again when no other can be had."""
        with self._lock:
            if self._kept is not None and self._kept.generation > refused.generation:
                return self._kept
            try:
                return self._fetch()
            except TokenUnavailable:
                return refused

    def _fetch(self) -> Token:
        if time.monotonic() - self._failed_at < FAILURE_SHARED_SECONDS:
            raise TokenUnavailable("the secret of the API token could not be read a moment ago")
        try:
            return self._fetched()
        except TokenUnavailable:
            self._failed_at = time.monotonic()
            raise

    def _fetched(self) -> Token:
        try:
            secret = self._secrets.get_secret_value(SecretId=self._secret_id)
        except AWS_FAILURES as failure:
            raise TokenUnavailable(f"the secret of the API token cannot be read ({code_of(failure)})") from None
        generation = self._kept.generation + 1 if self._kept else 1
        self._kept = Token(_token_in(secret.get("SecretString", "")), generation)
        return self._kept


def _token_in(secret: str) -> str:
    token: object = secret.strip()
    if secret.lstrip().startswith("{"):
        try:
            token = json.loads(secret).get("api_token")
        except ValueError:
            token = None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        # `from None`: the decoder's own error would carry the secret's text.
        raise TokenUnavailable(
            "the secret holds no API token: it must be the token, or JSON with it under api_token"
        ) from None
    return token
