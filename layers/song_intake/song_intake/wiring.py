"""The parts that the functions have in common, made once for the life of a process."""

from __future__ import annotations

import ssl

import boto3
import certifi
from aws_lambda_powertools import Logger
from botocore.config import Config

from song_intake.account_fault import FaultReport
from song_intake.announcements import Announcer
from song_intake.callback import Callback
from song_intake.circuit_breaker import REST_SECONDS, CircuitBreaker
from song_intake.telling import Telling


def aws_config(settle_margin: float, connections: int) -> Config:
    """How AWS is called: two tries, even the slowest, take half of the seconds that are kept for settling, since a dead
    letter may have to follow.
    """
    return Config(
        connect_timeout=settle_margin / 8,
        read_timeout=settle_margin / 8,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=connections,
    )


def trust(ca_bundle: str | None) -> ssl.SSLContext:
    """Whom the music API's client trusts. One context for all calls: reading the bundle is most of a handshake."""
    return ssl.create_default_context(cafile=ca_bundle or certifi.where())


def telling(aws: Config, bus_name: str, logger: Logger) -> Telling:
    def nobody_waits(code: str) -> None:
        logger.warning("callback", extra={"action": "callback", "reason": code})

    announcer = Announcer(boto3.client("events", config=aws), bus_name)
    return Telling(announcer, Callback(boto3.client("stepfunctions", config=aws), nobody_waits))


def breaker(aws: Config, bus_name: str, longest_wait: float, logger: Logger) -> CircuitBreaker:
    """longest_wait: seconds that a message waits at most; a circuit that rests longer would only keep it waiting."""

    def untold(code: str) -> None:
        logger.warning("account fault not told", extra={"action": "account_fault", "reason": code})

    report = FaultReport(boto3.client("events", config=aws), bus_name, untold)
    return CircuitBreaker(min(REST_SECONDS, longest_wait), report)
