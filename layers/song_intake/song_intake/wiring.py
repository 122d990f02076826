"""The parts that are not made in one line, or that functions have in common: once for the life of a process."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
from aws_lambda_powertools import Logger

from song_intake.account_fault import FaultReport
from song_intake.announcements import Announcer
from song_intake.aws_clients import AwsClients
from song_intake.callback import Callback
from song_intake.circuit_breaker import REST_SECONDS, CircuitBreaker
from song_intake.pace_table import PaceTable
from song_intake.pacer import Pacer, SharedPacer, Unpaced
from song_intake.telling import Telling

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from song_intake.settings import Settings


# Made by the build of the dependencies layer, beside certifi: its bundle, a file an authority (hash_authorities.py).
AUTHORITIES = Path(certifi.__file__).parents[1] / "authorities"


def trust(ca_bundle: str | None, authorities: Path = AUTHORITIES) -> ssl.SSLContext:
    """Whom the functions trust: the bundle, if one is named, or the authorities of certifi.

    One context for all connections: reading the bundle is most of a handshake.
    """
    if ca_bundle is None and authorities.is_dir():
        return ssl.create_default_context(capath=authorities)
    return ssl.create_default_context(cafile=ca_bundle or certifi.where())


def pacer(settings: Settings, dynamodb: DynamoDBClient) -> Pacer:
    if settings.creates_per_minute == 0:
        return Unpaced()
    table = PaceTable(dynamodb, settings.ledger_table)
    return SharedPacer(table, settings.creates_per_minute, settings.function_timeout, settings.paid_call)


def telling(aws: AwsClients, bus_name: str, logger: Logger) -> Telling:
    def nobody_waits(code: str) -> None:
        logger.warning("callback", extra={"action": "callback", "reason": code})

    announcer = Announcer(aws.client("events"), bus_name)
    return Telling(announcer, Callback(aws.client("stepfunctions"), nobody_waits))


def breaker(aws: AwsClients, settings: Settings, logger: Logger) -> CircuitBreaker:
    def untold(code: str) -> None:
        logger.warning("account fault not told", extra={"action": "account_fault", "reason": code})

    report = FaultReport(aws.client("events"), settings.event_bus_name, untold)
    # No message waits longer than the cap: a circuit that rests longer would only keep it waiting.
    return CircuitBreaker(min(REST_SECONDS, settings.retry_cap), report)
