"""track_song: looks at submitted songs until they end.

The wiring alone; what happens to a song stands in song_intake.tracking.
"""

import os
from song_intake.cold_start import started

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.api_token import ApiToken
from song_intake.aws_clients import AwsClients
from song_intake.batch import Batch, BatchResponse
from song_intake.check_work import CheckWork
from song_intake.dead_letters import DeadLetters
from song_intake.ledger_following import Following
from song_intake.ledger_table import LedgerTable
from song_intake.message import SqsEvent
from song_intake.music_api import MusicApi
from song_intake.song_checks import SongChecks
from song_intake.telemetry import Telemetry
from song_intake.track_settings import TrackSettings
from song_intake.tracking import Tracking
from song_intake.wiring import telling, trust

logger = Logger(location=None)


def wire(settings: TrackSettings) -> Batch:
    aws = AwsClients(trust(settings.ca_bundle), settings.settle_margin, settings.batch_size)
    sqs = aws.client("sqs")
    table = LedgerTable(aws.client("dynamodb"), settings.ledger_table, settings.keep_days)
    tracking = Tracking(
        following=Following(table),
        music_api=MusicApi(settings.music_api_origin, aws.tls, settings.connect_timeout, settings.poll_deadline),
        api_token=ApiToken(aws.client("secretsmanager"), settings.api_token_secret_arn),
        checks=SongChecks(sqs, settings.song_checks_queue_url, settings.first_check),
        telling=telling(aws, settings.event_bus_name, logger),
        first_wait=settings.first_check,
        longest_wait=settings.check_cap,
        tracking_hours=settings.tracking_hours,
    )
    dead_letters = DeadLetters(sqs, settings.check_dead_letter_queue_url)
    work = CheckWork(tracking=tracking, dead_letters=dead_letters, poll_call=settings.poll_call)
    return Batch(work=work, sqs=sqs, queue_url=settings.song_checks_queue_url, telemetry=Telemetry(logger, Metrics()))


_batch = started(wire(TrackSettings.from_environment(os.environ)))


@logger.inject_lambda_context
def handler(event: SqsEvent, context: LambdaContext) -> BatchResponse:
    return _batch.take(event["Records"], lambda: context.get_remaining_time_in_millis() / 1000)
