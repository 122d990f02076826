"""switch_intake: switches the intake off while the account is at fault, and looks at the balance.

The wiring alone; when it is switched stands in song_intake.intake_position, and how in song_intake.intake_switch.
"""

import os
from song_intake.cold_start import started

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.account import Account
from song_intake.aws_clients import AwsClients
from song_intake.intake_mapping import IntakeMapping
from song_intake.intake_memory import IntakeMemory
from song_intake.intake_switch import IntakeSwitch
from song_intake.music_api import MusicApi
from song_intake.switch_settings import SwitchSettings
from song_intake.telemetry import Telemetry
from song_intake.wiring import trust

logger = Logger(location=None)

AWS_SECONDS = 12


def wire(settings: SwitchSettings) -> IntakeSwitch:
    aws = AwsClients(trust(settings.ca_bundle), AWS_SECONDS, 1)
    music_api = MusicApi(settings.music_api_origin, aws.tls, settings.connect_timeout, settings.poll_deadline)
    return IntakeSwitch(
        account=Account(music_api, aws.client("secretsmanager"), settings.api_token_secret_arn),
        memory=IntakeMemory(aws.client("dynamodb"), settings.ledger_table),
        mapping=IntakeMapping(aws.client("lambda"), settings.intake_mapping_uuid),
        telemetry=Telemetry(logger, Metrics()),
    )


_switch = started(wire(SwitchSettings.from_environment(os.environ)))


@logger.inject_lambda_context
def handler(event: dict[str, object], _context: LambdaContext) -> dict[str, object]:
    return _switch.take(event)
