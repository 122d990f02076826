"""The music API's token: read from Secrets Manager, kept in memory, and read again when the API refuses it.

The secret is the token itself, or JSON with the token under "api_token". It never reaches a log or an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from song_intake.aws.secrets import Secret, SecretCache, SecretUnavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

Token: TypeAlias = Secret[str]

# What a bearer token may consist of (RFC 6750, 2.1), generously: but no space, and no line break to end the header.
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


class TokenUnavailable(SecretUnavailable):
    """The secret cannot be read, or holds no token."""


class ApiToken:
    """One token for all threads of the process."""

    def __init__(self, secrets: SecretsManagerClient, secret_id: str) -> None:
        self._cache = SecretCache(secrets, secret_id, _token_in, TokenUnavailable)

    def current(self) -> Token:
        """The token in memory, or the one that is read now. Raises TokenUnavailable if there is neither."""
        return self._cache.get()

    def refresh(self, refused: Token) -> Token:
        """The token after this one was refused; the same one again if no other can be read."""
        return self._cache.newer_than(refused)


def _token_in(texts: Sequence[str]) -> str:
    text = texts[0]
    token: object = text.strip()
    if text.lstrip().startswith("{"):
        try:
            token = json.loads(text).get("api_token")
        except ValueError:
            token = None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        # `from None`: the decoder's own error would carry the text of the secret.
        raise TokenUnavailable(
            "the secret holds no API token: it must be the token, or JSON with the token under api_token"
        ) from None
    return token
