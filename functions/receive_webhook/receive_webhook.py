"""receive_webhook: takes the music API's word that a song has ended.

The wiring alone; what a call comes to stands in song_intake.webhook_reception.
"""

import os
from song_intake.cold_start import started

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.aws_clients import AwsClients
from song_intake.ledger_following import Following
from song_intake.ledger_table import LedgerTable
from song_intake.song_checks import SongChecks
from song_intake.telemetry import Telemetry
from song_intake.webhook_event import HttpApiEvent, HttpApiResponse, WebhookEndpoint
from song_intake.webhook_keys import WebhookKeys
from song_intake.webhook_reception import Reception
from song_intake.webhook_settings import WebhookSettings
from song_intake.wiring import trust

logger = Logger(location=None)

# An HTTP API waits 30 seconds for its function: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
AWS_SECONDS = 6


def wire(settings: WebhookSettings) -> WebhookEndpoint:
    aws = AwsClients(trust(None), AWS_SECONDS, connections=1)
    table = LedgerTable(aws.client("dynamodb"), settings.ledger_table, settings.keep_days)
    keys = WebhookKeys(aws.client("secretsmanager"), settings.webhook_key_secret_arn)
    checks = SongChecks(aws.client("sqs"), settings.song_checks_queue_url, first_check=0)
    return WebhookEndpoint(Reception(keys, Following(table), checks), Telemetry(logger, Metrics()))


_endpoint = started(wire(WebhookSettings.from_environment(os.environ)))


@logger.inject_lambda_context
def handler(event: HttpApiEvent, _context: LambdaContext) -> HttpApiResponse:
    return _endpoint.answer(event)
