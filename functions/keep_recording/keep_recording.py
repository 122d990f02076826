"""keep_recording: copies the recordings of songs into the owner's bucket.

This file only starts the function. song_intake.work.keeping handles a message; song_intake.app.keep builds it.
"""

import os
from song_intake.app.cold_start import freeze_startup_objects

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.app.keep import PART_SECONDS, KeepSettings, keep_recording
from song_intake.aws.clients import AwsClients, ssl_context
from song_intake.contract.sqs_message import SqsEvent
from song_intake.outgoing.telemetry import Telemetry
from song_intake.work.batch import Batch, BatchResponse

logger = Logger(location=None)

# Parts of two uploads at once, and the other calls.
CONNECTIONS = 4


def build(settings: KeepSettings) -> Batch:
    """Build the function with its AWS clients."""
    tls = ssl_context(settings.ca_bundle)
    aws = AwsClients(tls, settings.aws_seconds, CONNECTIONS, s3_seconds=PART_SECONDS)
    return keep_recording(settings, aws, Telemetry(logger, Metrics()))


_batch = freeze_startup_objects(build(KeepSettings.from_environment(os.environ)))


@logger.inject_lambda_context
def handler(event: SqsEvent, context: LambdaContext) -> BatchResponse:
    """Process one batch of songs whose recordings are to be copied."""
    return _batch.handle(event["Records"], lambda: context.get_remaining_time_in_millis() / 1000)
