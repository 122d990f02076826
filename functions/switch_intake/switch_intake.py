"""switch_intake: switches the intake off while the account is at fault, and looks at the balance.

The wiring alone; when it is switched stands in song_intake.intake_position, and how in song_intake.intake_switch.
"""

import os

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.account import Account
from song_intake.intake_mapping import IntakeMapping
from song_intake.intake_memory import IntakeMemory
from song_intake.intake_switch import IntakeSwitch
from song_intake.music_api import MusicApi
from song_intake.switch_settings import SwitchSettings
from song_intake.telemetry import Telemetry
from song_intake.wiring import aws_config, trust

logger = Logger(location=None)

AWS_SECONDS = 12


def wire(settings: SwitchSettings) -> IntakeSwitch:
    aws = aws_config(AWS_SECONDS, 1)
    music_api = MusicApi(
        settings.music_api_origin, trust(settings.ca_bundle), settings.connect_timeout, settings.poll_deadline
    )
    secrets = boto3.client("secretsmanager", config=aws)
    return IntakeSwitch(
        account=Account(music_api, secrets, settings.api_token_secret_arn),
        memory=IntakeMemory(boto3.client("dynamodb", config=aws), settings.ledger_table),
        mapping=IntakeMapping(boto3.client("lambda", config=aws), settings.intake_mapping_uuid),
        telemetry=Telemetry(logger, Metrics()),
    )


# Made while the function starts, when Lambda gives it a whole core, and kept for every invocation after.
_switch = wire(SwitchSettings.from_environment(os.environ))


@logger.inject_lambda_context
def handler(event: dict[str, object], _context: LambdaContext) -> dict[str, object]:
    return _switch.take(event)
