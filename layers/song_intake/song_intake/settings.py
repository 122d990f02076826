"""The environment of the function, read once and checked: the one place that names an environment variable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

# The receives kept back from the redrive policy's count. The handler gives its last word this many receives before SQS
# would move the message without one, so that a function that dies on the last try still gets to tell why.
RECEIVES_HELD_BACK = 3


class InvalidSettings(ValueError):
    """The function's configuration is wrong; the text names the variable and the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Times are seconds unless they say otherwise."""

    music_api_origin: str
    api_token_secret_arn: str
    ledger_table: str
    song_requests_queue_url: str
    dead_letter_queue_url: str
    connect_timeout: float
    create_deadline: float
    settle_margin: float
    function_timeout: float
    lease: float
    max_receive_count: int
    retry_base: float
    retry_cap: float
    keep_days: int
    batch_size: int
    ca_bundle: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises InvalidSettings, which names what is wrong."""
        text, number = _reader(environment)
        settings = cls(
            music_api_origin=text("MUSIC_API_ORIGIN"),
            api_token_secret_arn=text("API_TOKEN_SECRET_ARN"),
            ledger_table=text("LEDGER_TABLE"),
            song_requests_queue_url=text("SONG_REQUESTS_QUEUE_URL"),
            dead_letter_queue_url=text("DEAD_LETTER_QUEUE_URL"),
            connect_timeout=number("CONNECT_TIMEOUT_SECONDS"),
            create_deadline=number("CREATE_DEADLINE_SECONDS"),
            settle_margin=number("SETTLE_MARGIN_SECONDS"),
            function_timeout=number("FUNCTION_TIMEOUT_SECONDS"),
            lease=number("LEASE_SECONDS"),
            max_receive_count=number("MAX_RECEIVE_COUNT"),
            retry_base=number("RETRY_BASE_SECONDS"),
            retry_cap=number("RETRY_CAP_SECONDS"),
            keep_days=number("KEEP_DAYS"),
            batch_size=number("BATCH_SIZE"),
            # OpenSSL's own variable, for a private CA; without it, the bundle of certifi.
            ca_bundle=environment.get("SSL_CERT_FILE") or None,
        )
        settings.check()
        return settings

    @property
    def paid_call(self) -> float:
        """The time-left guard: what a create and its settling may take, and so what must be left to begin one."""
        return self.create_deadline + self.settle_margin

    @property
    def last_try(self) -> int:
        """The receive on which the handler gives its last word itself."""
        return self.max_receive_count - RECEIVES_HELD_BACK

    def check(self) -> None:
        """The arithmetic on which the promise rests. Raises InvalidSettings."""
        rules = {
            "CREATE_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS must be less than FUNCTION_TIMEOUT_SECONDS, or no create "
            "would ever begin": self.paid_call < self.function_timeout,
            "LEASE_SECONDS must be at least FUNCTION_TIMEOUT_SECONDS, or a live claim is called abandoned": (
                self.lease >= self.function_timeout
            ),
            f"MAX_RECEIVE_COUNT must be more than {RECEIVES_HELD_BACK}, the receives held back": self.last_try >= 1,
            "RETRY_BASE_SECONDS must be at most RETRY_CAP_SECONDS": self.retry_base <= self.retry_cap,
        }
        broken = [rule for rule, holds in rules.items() if not holds]
        if broken:
            raise InvalidSettings("; ".join(broken))


def _reader(environment: Mapping[str, str]) -> tuple[Callable[[str], str], Callable[[str], int]]:
    def text(name: str) -> str:
        value = environment.get(name, "").strip()
        if not value:
            raise InvalidSettings(f"{name} is not set")
        return value

    def number(name: str) -> int:
        value = text(name)
        if not value.isascii() or not value.isdigit() or int(value) == 0:
            raise InvalidSettings(f"{name} must be a whole number above 0")
        return int(value)

    return text, number
