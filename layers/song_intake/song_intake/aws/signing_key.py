"""The stack's signing key, and what is derived from it by HMAC-SHA256, each with a label of its own.

    address of a webhook    HMAC(key, "path:" + request_id)
    secret of a webhook     HMAC(key, "secret:" + request_id)
    proof of a message      HMAC(HMAC(key, "proof"), what it proves)

Nothing is stored per request. The key's previous version is valid too, so the key can be rotated while songs are being
made and while letters wait.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Self

from song_intake.aws.secrets import CURRENT, PREVIOUS, SecretCache, SecretUnavailable
from song_intake.domain.frozen import frozen

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LEAST_CHARACTERS = 32

KEYS_KEPT_SECONDS = 300.0
"""Our choice: each process reads two versions of the key, and pays for both. A call or a message under a newer key
causes a read at once (KEYS_READ_AGAIN_SECONDS), and one under an older key is valid while that is the previous version.
"""

KEYS_READ_AGAIN_SECONDS = 5.0
"""So often at most do calls under unknown keys cause a read: forged calls cannot cause many."""


class KeyUnavailable(SecretUnavailable):
    """The secret cannot be read or holds no key, and no key is in memory."""


@frozen
class SigningKey:
    """One version of the key."""

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> Self:
        return cls(text.encode())

    def path_mac(self, request_id: str) -> str:
        return self._hmac(f"path:{request_id}".encode())

    def secret(self, request_id: str) -> str:
        return self._hmac(f"secret:{request_id}".encode())

    def proof(self, proved: bytes) -> str:
        """64 hexadecimal digits."""
        key = hmac.new(self.key, b"proof", hashlib.sha256).digest()
        return hmac.new(key, proved, hashlib.sha256).hexdigest()

    def _hmac(self, text: bytes) -> str:
        return hmac.new(self.key, text, hashlib.sha256).hexdigest()


class SigningKeys:
    """The current key and the previous one, from Secrets Manager. Safe to share between threads."""

    def __init__(self, secrets: SecretsManagerClient, secret_id: str) -> None:
        self._cache = SecretCache(
            secrets, secret_id, _keys_in, KeyUnavailable, (CURRENT, PREVIOUS), keep_seconds=KEYS_KEPT_SECONDS
        )

    def current_first(self) -> tuple[SigningKey, ...]:
        """The current key, then the previous one if there is one. Raises KeyUnavailable."""
        return self._cache.get().value

    def read_again(self) -> tuple[SigningKey, ...]:
        """The same, read now unless they were read less than KEYS_READ_AGAIN_SECONDS ago. Raises KeyUnavailable."""
        return self._cache.read_within(KEYS_READ_AGAIN_SECONDS).value

    def read_after(self, moment: float) -> tuple[SigningKey, ...]:
        """The same, from a read after this moment (seconds since 1970), if necessary one that is made now.

        Raises KeyUnavailable if there is none, even if older keys are in memory.
        """
        return self._cache.read_after(moment).value


def _keys_in(texts: Sequence[str]) -> tuple[SigningKey, ...]:
    """A binary secret has no text. A previous version that is no key was never used, so it is passed over."""
    if not _is_key(texts[0]):
        raise KeyUnavailable(
            f"the secret of the signing key must hold a text of at least {LEAST_CHARACTERS} characters"
        )
    return tuple(SigningKey.of(text) for text in texts if _is_key(text))


def _is_key(text: str) -> bool:
    return len(text) >= LEAST_CHARACTERS
