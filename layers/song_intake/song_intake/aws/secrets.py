"""The cache of a secret of Secrets Manager: the API token and the signing key each have one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Generic, TypeVar

from song_intake.aws.failure import AWS_FAILURES, code_of, is_transient
from song_intake.domain.frozen import frozen

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# The stages that a rotation moves:
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
CURRENT = "AWSCURRENT"
PREVIOUS = "AWSPREVIOUS"

FAILURE_SHARED_SECONDS = 1.0
"""How long a failed read counts for all threads, so that the waiting threads do not each repeat it. Our choice."""

Value = TypeVar("Value")


class SecretUnavailable(Exception):
    """The secret cannot be read, or has another form than required. The message never quotes the secret.

    is_transient: Secrets Manager was busy, failing or not reached, so the secret itself may be in order.
    is_repeat: no read was made, because one failed a moment ago.
    is_empty: the secret was never given a value. One that is scheduled for deletion is refused in another way.
    """

    def __init__(
        self, text: str, *, is_transient: bool = False, is_repeat: bool = False, is_empty: bool = False
    ) -> None:
        super().__init__(text)
        self.is_transient = is_transient
        self.is_repeat = is_repeat
        self.is_empty = is_empty


@frozen
class Secret(Generic[Value]):
    """The result of one read."""

    value: Value = field(repr=False)
    generation: int
    """The number of the read. If several requests were refused with one value, one new read is enough for all."""


class SecretCache(Generic[Value]):
    """The cached value of one secret. Safe to share between threads.

    parse: makes the value from the texts of the stages, the current stage first; raises `unavailable` if it cannot.
    keep_seconds: the age at which the secret is read again. While that read fails, the cached value remains in use.
    Ages use the wall clock: the monotonic clock stops while Lambda freezes the process between invocations.
    """

    def __init__(
        self,
        secrets: SecretsManagerClient,
        secret_id: str,
        parse: Callable[[Sequence[str]], Value],
        unavailable: type[SecretUnavailable],
        stages: Sequence[str] = (CURRENT,),
        keep_seconds: float = math.inf,
    ) -> None:
        self._secrets = secrets
        self._secret_id = secret_id
        self._parse = parse
        self._unavailable = unavailable
        self._stages = stages
        self._keep_seconds = keep_seconds
        self._lock = threading.Lock()
        self._secret: Secret[Value] | None = None
        self._read_at = self._failed_at = self._succeeded_at = -math.inf
        self._failed_transiently = False

    def get(self) -> Secret[Value]:
        """The cached secret, or the result of a new read. Raises `unavailable` if there is neither."""
        return self.read_within(self._keep_seconds)

    def read_within(self, seconds: float) -> Secret[Value]:
        """The same, with the cached secret only if it was read, or a read failed, less than `seconds` ago."""
        with self._lock:
            if self._secret is None or not _is_recent(self._read_at, seconds):
                return self._read_again()
            return self._secret

    def read_after(self, moment: float) -> Secret[Value]:
        """The result of a read after this moment (seconds since 1970): an earlier one, or one that is made now.

        Raises `unavailable` if there is none, even if a secret is cached.
        """
        with self._lock:
            before = self._secret
            if before is not None and moment < self._succeeded_at <= time.time():
                return before
            secret = self._read_again()
            if secret is before:
                raise self._unavailable("the secret could not be read again", is_transient=self._failed_transiently)
            return secret

    def newer_than(self, old: Secret[Value]) -> Secret[Value]:
        """A secret of a later generation than `old`; `old` itself if no later one can be read."""
        with self._lock:
            if self._secret is not None and self._secret.generation > old.generation:
                return self._secret
            try:
                return self._read_again()
            except SecretUnavailable:
                return old

    def _read_again(self) -> Secret[Value]:
        try:
            value = self._parse(self._texts())
        except SecretUnavailable as failure:
            if not failure.is_repeat:
                self._failed_at, self._failed_transiently = time.time(), failure.is_transient
            if self._secret is None:
                raise
        else:
            self._secret = Secret(value, self._secret.generation + 1 if self._secret else 1)
            self._succeeded_at = time.time()
        self._read_at = time.time()
        return self._secret

    def _texts(self) -> list[str]:
        if _is_recent(self._failed_at, FAILURE_SHARED_SECONDS):
            raise self._unavailable(
                "the secret could not be read a moment ago", is_transient=self._failed_transiently, is_repeat=True
            )
        current, *others = [self._text(stage) for stage in self._stages]
        if current is None:
            raise self._unavailable("the secret cannot be read (ResourceNotFoundException)", is_empty=True)
        return [current, *(text for text in others if text is not None)]

    def _text(self, stage: str) -> str | None:
        """The text of this stage; None if the secret lacks it: before the first rotation there is no previous stage."""
        try:
            secret = self._secrets.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except self._secrets.exceptions.ResourceNotFoundException:
            return None
        except AWS_FAILURES as failure:
            raise self._unavailable(
                f"the secret cannot be read ({code_of(failure)})", is_transient=is_transient(failure)
            ) from None
        return secret.get("SecretString", "")


def _is_recent(moment: float, seconds: float) -> bool:
    """Whether fewer `seconds` have passed. If the clock was set back, the answer is no: an extra read is harmless."""
    return 0 <= time.time() - moment < seconds
