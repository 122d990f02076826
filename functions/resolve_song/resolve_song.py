"""resolve_song: records an operator's decision on a request in doubt, or cancels a request.

This file only starts the function. song_intake.work.resolution handles a decision; song_intake.app.resolve builds the
function.
"""

import os
from song_intake.app.cold_start import freeze_startup_objects

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.app.resolve import ResolveSettings, resolve_song
from song_intake.aws.clients import AwsClients, ssl_context
from song_intake.domain.decision import SideEffectFailed
from song_intake.ledger.resolving import SEGMENTS
from song_intake.ledger.table import LedgerUnavailable
from song_intake.outgoing.telemetry import Telemetry
from song_intake.work.resolution import DecisionRefused, Resolution

logger = Logger(location=None)


def build(settings: ResolveSettings) -> Resolution:
    """Build the function with its AWS clients."""
    aws = AwsClients(ssl_context(settings.ca_bundle), settings.aws_seconds, connections=SEGMENTS)
    return resolve_song(settings, aws, Telemetry(logger, Metrics()))


_resolution = freeze_startup_objects(build(ResolveSettings.from_environment(os.environ)))


@logger.inject_lambda_context
def handler(event: dict[str, object], _context: LambdaContext) -> dict[str, object]:
    """The row before and after, or `refused` with the reason. An `error` may be retried without harm."""
    try:
        response = _resolution.handle(event)
    except DecisionRefused as refused:
        return {"refused": str(refused)}
    except (LedgerUnavailable, SideEffectFailed) as failure:
        return {"error": f"{type(failure).__name__}: {failure}"}
    logger.info("resolved", extra={"action": "resolve", "request_id": event.get("request_id"), "by": event.get("by")})
    return response
