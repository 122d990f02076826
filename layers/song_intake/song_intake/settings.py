"""The environment of the functions, read once and checked: the one place that names an environment variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

# The receives kept back from the redrive policy's count. The handler gives its last word this many receives before SQS
# would move the message without one, so that a function that dies on the last try still gets to tell why.
RECEIVES_HELD_BACK = 3


class InvalidSettings(ValueError):
    """The function's configuration is wrong; the text names the variable and the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of submit_song. Times are seconds unless they say otherwise."""

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
    song_checks_queue_url: str
    first_check: float
    event_bus_name: str
    webhook_url: str | None
    webhook_key_secret_arn: str | None
    resolution_window: float
    ca_bundle: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises InvalidSettings, which names what is wrong."""
        read = _Reader(environment)
        settings = cls(
            music_api_origin=read.text("MUSIC_API_ORIGIN"),
            api_token_secret_arn=read.text("API_TOKEN_SECRET_ARN"),
            ledger_table=read.text("LEDGER_TABLE"),
            song_requests_queue_url=read.text("SONG_REQUESTS_QUEUE_URL"),
            dead_letter_queue_url=read.text("DEAD_LETTER_QUEUE_URL"),
            connect_timeout=read.number("CONNECT_TIMEOUT_SECONDS"),
            create_deadline=read.number("CREATE_DEADLINE_SECONDS"),
            settle_margin=read.number("SETTLE_MARGIN_SECONDS"),
            function_timeout=read.number("FUNCTION_TIMEOUT_SECONDS"),
            lease=read.number("LEASE_SECONDS"),
            max_receive_count=read.number("MAX_RECEIVE_COUNT"),
            retry_base=read.number("RETRY_BASE_SECONDS"),
            retry_cap=read.number("RETRY_CAP_SECONDS"),
            keep_days=read.number("KEEP_DAYS"),
            batch_size=read.number("BATCH_SIZE"),
            song_checks_queue_url=read.text("SONG_CHECKS_QUEUE_URL"),
            first_check=read.number("FIRST_CHECK_SECONDS"),
            event_bus_name=read.text("EVENT_BUS_NAME"),
            # Both are empty where the webhook is switched off.
            webhook_url=read.optional("WEBHOOK_URL"),
            webhook_key_secret_arn=read.optional("WEBHOOK_KEY_SECRET_ARN"),
            resolution_window=read.number("RESOLUTION_WINDOW_SECONDS", least=0),
            ca_bundle=read.optional(_CA_BUNDLE),
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
        _require(
            {
                "CREATE_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS must be less than FUNCTION_TIMEOUT_SECONDS, or no "
                "create would ever begin": self.paid_call < self.function_timeout,
                "LEASE_SECONDS must be at least FUNCTION_TIMEOUT_SECONDS, or a live claim is called abandoned": (
                    self.lease >= self.function_timeout
                ),
                f"MAX_RECEIVE_COUNT must be more than {RECEIVES_HELD_BACK}, the receives held back": self.last_try >= 1,
                "RETRY_BASE_SECONDS must be at most RETRY_CAP_SECONDS": self.retry_base <= self.retry_cap,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSettings:
    """Of track_song. Times are seconds unless they say otherwise."""

    music_api_origin: str
    api_token_secret_arn: str
    ledger_table: str
    keep_days: int
    song_checks_queue_url: str
    check_dead_letter_queue_url: str
    event_bus_name: str
    connect_timeout: float
    poll_deadline: float
    settle_margin: float
    function_timeout: float
    tracking_hours: float
    first_check: float
    check_cap: float
    batch_size: int
    ca_bundle: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises InvalidSettings, which names what is wrong."""
        read = _Reader(environment)
        settings = cls(
            music_api_origin=read.text("MUSIC_API_ORIGIN"),
            api_token_secret_arn=read.text("API_TOKEN_SECRET_ARN"),
            ledger_table=read.text("LEDGER_TABLE"),
            keep_days=read.number("KEEP_DAYS"),
            song_checks_queue_url=read.text("SONG_CHECKS_QUEUE_URL"),
            check_dead_letter_queue_url=read.text("CHECK_DEAD_LETTER_QUEUE_URL"),
            event_bus_name=read.text("EVENT_BUS_NAME"),
            connect_timeout=read.number("CONNECT_TIMEOUT_SECONDS"),
            poll_deadline=read.number("POLL_DEADLINE_SECONDS"),
            settle_margin=read.number("SETTLE_MARGIN_SECONDS"),
            function_timeout=read.number("FUNCTION_TIMEOUT_SECONDS"),
            tracking_hours=read.number("TRACKING_HOURS"),
            first_check=read.number("FIRST_CHECK_SECONDS"),
            check_cap=read.number("CHECK_CAP_SECONDS"),
            batch_size=read.number("BATCH_SIZE"),
            ca_bundle=read.optional(_CA_BUNDLE),
        )
        _require(
            {
                "CONNECT_TIMEOUT_SECONDS + POLL_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS must be less than "
                "FUNCTION_TIMEOUT_SECONDS, or no poll would ever begin": settings.poll_call < settings.function_timeout
            }
        )
        return settings

    @property
    def poll_call(self) -> float:
        """What a poll and its settling may take, and so what must be left to begin one."""
        return self.connect_timeout + self.poll_deadline + self.settle_margin


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Of receive_webhook."""

    ledger_table: str
    keep_days: int
    webhook_key_secret_arn: str
    song_checks_queue_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises InvalidSettings, which names what is wrong."""
        read = _Reader(environment)
        return cls(
            ledger_table=read.text("LEDGER_TABLE"),
            keep_days=read.number("KEEP_DAYS"),
            webhook_key_secret_arn=read.text("WEBHOOK_KEY_SECRET_ARN"),
            song_checks_queue_url=read.text("SONG_CHECKS_QUEUE_URL"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveSettings:
    """Of resolve_song. Times are seconds unless they say otherwise."""

    ledger_table: str
    keep_days: int
    song_checks_queue_url: str
    event_bus_name: str
    first_check: float
    not_created_after: float

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises InvalidSettings, which names what is wrong."""
        read = _Reader(environment)
        return cls(
            ledger_table=read.text("LEDGER_TABLE"),
            keep_days=read.number("KEEP_DAYS"),
            song_checks_queue_url=read.text("SONG_CHECKS_QUEUE_URL"),
            event_bus_name=read.text("EVENT_BUS_NAME"),
            first_check=read.number("FIRST_CHECK_SECONDS"),
            # By then whoever sent the create is dead, and the lease by which a wrong clock could err is past too.
            not_created_after=read.number("LEASE_SECONDS") + read.number("FUNCTION_TIMEOUT_SECONDS"),
        )


# OpenSSL's own variable, for a private CA; without it, the bundle of certifi.
_CA_BUNDLE = "SSL_CERT_FILE"


@dataclass(frozen=True, slots=True)
class _Reader:
    environment: Mapping[str, str]

    def text(self, name: str) -> str:
        value = self.optional(name)
        if value is None:
            raise InvalidSettings(f"{name} is not set")
        return value

    def optional(self, name: str) -> str | None:
        return self.environment.get(name, "").strip() or None

    def number(self, name: str, least: int = 1) -> int:
        value = self.text(name)
        if not value.isascii() or not value.isdigit() or int(value) < least:
            raise InvalidSettings(f"{name} must be a whole number {'above 0' if least else 'of 0 or more'}")
        return int(value)


def _require(rules: Mapping[str, bool]) -> None:
    broken = [rule for rule, holds in rules.items() if not holds]
    if broken:
        raise InvalidSettings("; ".join(broken))
