"""resolve_song: takes an operator's word on a request in doubt.

The wiring alone; which words are taken stands in song_intake.resolution.
"""

import os
from song_intake.cold_start import started

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.aws_clients import AwsClients
from song_intake.ledger_resolving import Resolving
from song_intake.ledger_table import LedgerTable, LedgerUnavailable
from song_intake.resolution import Refused, Resolution
from song_intake.resolve_settings import ResolveSettings
from song_intake.song_checks import SongChecks
from song_intake.undone import Undone
from song_intake.wiring import telling, trust

logger = Logger(location=None)

AWS_SECONDS = 12


def wire(settings: ResolveSettings) -> Resolution:
    aws = AwsClients(trust(None), AWS_SECONDS, connections=1)
    table = LedgerTable(aws.client("dynamodb"), settings.ledger_table, settings.keep_days)
    return Resolution(
        ledger=Resolving(table),
        checks=SongChecks(aws.client("sqs"), settings.song_checks_queue_url, settings.first_check),
        telling=telling(aws, settings.event_bus_name, logger),
        not_created_after=settings.not_created_after,
    )


_resolution = started(wire(ResolveSettings.from_environment(os.environ)))


@logger.inject_lambda_context
def handler(event: dict[str, object], _context: LambdaContext) -> dict[str, object]:
    """The row before and after, or `refused` with the reason. Say it again after an `error`: it is harmless."""
    try:
        answer = _resolution.take(event)
    except Refused as refused:
        return {"refused": str(refused)}
    except (LedgerUnavailable, Undone) as failure:
        return {"error": f"{type(failure).__name__}: {failure}"}
    logger.info("resolved", extra={"action": "resolve", "request_id": event.get("request_id"), "by": event.get("by")})
    return answer
