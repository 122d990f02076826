"""redrive_letters: moves dead letters back to their queues.

This file only starts the function. song_intake.work.redrive moves the letters; song_intake.app.redrive builds the
function.
"""

import os
from song_intake.app.cold_start import freeze_startup_objects

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.app.redrive import RedriveSettings, redrive_letters
from song_intake.aws.clients import AwsClients, ssl_context
from song_intake.contract.redrive_order import RedriveRefused
from song_intake.work.redrive import Redrive

logger = Logger(location=None)


def build(settings: RedriveSettings) -> Redrive:
    """Build the function with its AWS clients."""
    return redrive_letters(settings, AwsClients(ssl_context(None), settings.aws_seconds, connections=1))


_redrive = freeze_startup_objects(build(RedriveSettings.from_environment(os.environ)))


@logger.inject_lambda_context
def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
    """Counts of letters, or `refused` with the reason. An `error` may be retried without harm."""
    try:
        response = _redrive.handle(event, lambda: context.get_remaining_time_in_millis() / 1000)
    except RedriveRefused as refused:
        return {"refused": str(refused)}
    logger.info("redriven", extra={"action": "redrive", "order": event, "response": response})
    return response
