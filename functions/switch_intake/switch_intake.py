"""switch_intake: pauses the intake while the account is at fault, and checks the balance.

This file only starts the function. song_intake.admission.switch_rules decides when the intake is switched, and
song_intake.admission.switch switches it; song_intake.app.switch builds the function.
"""

import os
from song_intake.app.cold_start import freeze_startup_objects

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from song_intake.admission.switch import IntakeSwitch
from song_intake.app.switch import SwitchSettings, switch_intake
from song_intake.aws.clients import AwsClients, ssl_context
from song_intake.outgoing.telemetry import Telemetry

logger = Logger(location=None)


def build(settings: SwitchSettings) -> IntakeSwitch:
    """Build the function with its AWS clients."""
    aws = AwsClients(ssl_context(settings.ca_bundle), settings.aws_seconds, connections=1)
    return switch_intake(settings, aws, Telemetry(logger, Metrics()))


_switch = freeze_startup_objects(build(SwitchSettings.from_environment(os.environ)))


@logger.inject_lambda_context
def handler(event: dict[str, object], _context: LambdaContext) -> dict[str, object]:
    """Handle an account fault, a check of the balance, or an operator's command."""
    return _switch.handle(event)
