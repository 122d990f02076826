"""The parts that the functions have in common, made once for the life of a process."""

from __future__ import annotations

import ssl

import certifi
from aws_lambda_powertools import Logger

from song_intake.announcements import Announcer
from song_intake.aws_clients import AwsClients
from song_intake.callback import Callback
from song_intake.telling import Telling


def trust(ca_bundle: str | None) -> ssl.SSLContext:
    """Whom the functions trust. One context for all connections: reading the bundle is most of a handshake."""
    return ssl.create_default_context(cafile=ca_bundle or certifi.where())


def telling(aws: AwsClients, bus_name: str, logger: Logger) -> Telling:
    def nobody_waits(code: str) -> None:
        logger.warning("callback", extra={"action": "callback", "reason": code})

    announcer = Announcer(aws.client("events"), bus_name)
    return Telling(announcer, Callback(aws.client("stepfunctions"), nobody_waits))
