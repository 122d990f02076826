"""submit_song: takes song requests from their queue to the music API.

The wiring alone; what happens to a request stands in song_intake.submission and song_intake.request_work.
"""

import os
from song_intake.cold_start import started

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.api_token import ApiToken
from song_intake.aws_clients import AwsClients
from song_intake.backoff import Backoff
from song_intake.batch import Batch, BatchResponse
from song_intake.dead_letters import DeadLetters
from song_intake.ledger import Ledger
from song_intake.message import SqsEvent
from song_intake.music_api import MusicApi
from song_intake.our_webhook import OurWebhook
from song_intake.request_work import RequestWork
from song_intake.settings import Settings
from song_intake.song_checks import SongChecks
from song_intake.submission import Submission
from song_intake.telemetry import Telemetry
from song_intake.wiring import breaker, pacer, telling, trust

logger = Logger(location=None)


def wire(settings: Settings) -> Batch:
    aws = AwsClients(trust(settings.ca_bundle), settings.settle_margin, settings.batch_size)
    dynamodb, sqs, secrets = aws.client("dynamodb"), aws.client("sqs"), aws.client("secretsmanager")
    submission = Submission(
        ledger=Ledger(dynamodb, settings.ledger_table, settings.lease, settings.keep_days),
        music_api=MusicApi(settings.music_api_origin, aws.tls, settings.connect_timeout, settings.create_deadline),
        api_token=ApiToken(secrets, settings.api_token_secret_arn),
        backoff=Backoff(settings.retry_base, settings.retry_cap),
        paid_call=settings.paid_call,
        last_try=settings.last_try,
        max_receive_count=settings.max_receive_count,
        pacer=pacer(settings, dynamodb),
        breaker=breaker(aws, settings, logger),
        webhook=OurWebhook.of(settings, secrets),
    )
    work = RequestWork(
        submission=submission,
        checks=SongChecks(sqs, settings.song_checks_queue_url, settings.first_check),
        telling=telling(aws, settings.event_bus_name, logger),
        dead_letters=DeadLetters(sqs, settings.dead_letter_queue_url),
    )
    return Batch(work=work, sqs=sqs, queue_url=settings.song_requests_queue_url, telemetry=Telemetry(logger, Metrics()))


_batch = started(wire(Settings.from_environment(os.environ)))


@logger.inject_lambda_context
def handler(event: SqsEvent, context: LambdaContext) -> BatchResponse:
    return _batch.take(event["Records"], lambda: context.get_remaining_time_in_millis() / 1000)
