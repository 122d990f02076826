"""receive_webhook: receives the music API's webhooks, which report that a song has ended.

This file only starts the function. song_intake.work.webhook_endpoint handles a call; song_intake.app.webhook builds the
function.
"""

import os
from song_intake.app.cold_start import freeze_startup_objects

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.app.webhook import WebhookSettings, receive_webhook
from song_intake.aws.clients import AwsClients, ssl_context
from song_intake.outgoing.telemetry import Telemetry
from song_intake.work.webhook_endpoint import HttpApiEvent, HttpApiResponse, WebhookEndpoint

logger = Logger(location=None)


def build(settings: WebhookSettings) -> WebhookEndpoint:
    """Build the function with its AWS clients."""
    aws = AwsClients(ssl_context(None), settings.aws_seconds, connections=1)
    return receive_webhook(settings, aws, Telemetry(logger, Metrics()))


_endpoint = freeze_startup_objects(build(WebhookSettings.from_environment(os.environ)))


@logger.inject_lambda_context
def handler(event: HttpApiEvent, _context: LambdaContext) -> HttpApiResponse:
    """Respond to one call of the webhook."""
    return _endpoint.handle(event)
