"""submit_song: sends song requests from their queue to the music API.

This file only starts the function. song_intake.work.submission and song_intake.work.request_work handle a request;
song_intake.app.submit builds the function.
"""

import os
from song_intake.app.cold_start import freeze_startup_objects

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.app.submit import SubmitSettings, submit_song
from song_intake.aws.clients import AwsClients, ssl_context
from song_intake.contract.sqs_message import SqsEvent
from song_intake.outgoing.telemetry import Telemetry
from song_intake.work.batch import Batch, BatchResponse

logger = Logger(location=None)


def build(settings: SubmitSettings) -> Batch:
    """Build the function with its AWS clients."""
    aws = AwsClients(ssl_context(settings.ca_bundle), settings.aws_seconds, settings.batch_size)
    return submit_song(settings, aws, Telemetry(logger, Metrics()))


_batch = freeze_startup_objects(build(SubmitSettings.from_environment(os.environ)))


@logger.inject_lambda_context
def handler(event: SqsEvent, context: LambdaContext) -> BatchResponse:
    """Process one batch of requests."""
    return _batch.handle(event["Records"], lambda: context.get_remaining_time_in_millis() / 1000)
