"""What submit_song is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from song_intake.environment import CA_BUNDLE, Reader, require
from song_intake.pace import SECONDS_A_MINUTE

# The receives kept back from the redrive policy's count. The handler gives its last word this many receives before SQS
# would move the message without one, so that a function that dies on the last try still gets to tell why.
RECEIVES_HELD_BACK = 3


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
    creates_per_minute: int
    """Of all workers together; 0: as fast as the requests come."""
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
        read = Reader(environment)
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
            creates_per_minute=read.number("CREATES_PER_MINUTE", least=0),
            song_checks_queue_url=read.text("SONG_CHECKS_QUEUE_URL"),
            first_check=read.number("FIRST_CHECK_SECONDS"),
            event_bus_name=read.text("EVENT_BUS_NAME"),
            # Both are empty where the webhook is switched off.
            webhook_url=read.optional("WEBHOOK_URL"),
            webhook_key_secret_arn=read.optional("WEBHOOK_KEY_SECRET_ARN"),
            resolution_window=read.number("RESOLUTION_WINDOW_SECONDS", least=0),
            ca_bundle=read.optional(CA_BUNDLE),
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

    @property
    def waits(self) -> float:
        """How long a full batch waits for its slots, if nobody else has reserved any."""
        return self.batch_size * SECONDS_A_MINUTE / self.creates_per_minute if self.creates_per_minute else 0

    def check(self) -> None:
        """The arithmetic on which the promise rests. Raises InvalidSettings."""
        require(
            {
                "CREATE_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS must be less than FUNCTION_TIMEOUT_SECONDS, or no "
                "create would ever begin": self.paid_call < self.function_timeout,
                "BATCH_SIZE creates at CREATES_PER_MINUTE and a paid call must fit into FUNCTION_TIMEOUT_SECONDS, or a "
                "message spends its receives on waiting": self.waits + self.paid_call < self.function_timeout,
                "LEASE_SECONDS must be at least FUNCTION_TIMEOUT_SECONDS, or a live claim is called abandoned": (
                    self.lease >= self.function_timeout
                ),
                f"MAX_RECEIVE_COUNT must be more than {RECEIVES_HELD_BACK}, the receives held back": self.last_try >= 1,
                "RETRY_BASE_SECONDS must be at most RETRY_CAP_SECONDS": self.retry_base <= self.retry_cap,
            }
        )
