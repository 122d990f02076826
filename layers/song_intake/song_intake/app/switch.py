"""The settings of switch_intake, and its construction from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from song_intake.admission.budget_item import BudgetItem, BudgetLimits
from song_intake.admission.switch import IntakeMapping, IntakeSwitch
from song_intake.admission.switch_state import IntakeStateStore
from song_intake.app.environment import CaBundle, CountOrZero, Seconds, Settings
from song_intake.music_api.client import MusicApi

if TYPE_CHECKING:
    from song_intake.aws.clients import Clients
    from song_intake.outgoing.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchSettings(Settings):
    """Times are in seconds."""

    aws_seconds: ClassVar[float] = 12
    """The longest three AWS calls in a row: see AwsClients. Our choice."""

    music_api_origin: str
    api_token_secret_arn: str
    signing_key_secret_arn: str
    ledger_table: str
    intake_mapping_uuid: str
    connect_timeout: Seconds
    poll_deadline: Seconds
    creates_per_day: CountOrZero
    """0: no budget of the stack."""
    ca_bundle: CaBundle


def switch_intake(
    settings: SwitchSettings, aws: Clients, telemetry: Telemetry, music_api: MusicApi | None = None
) -> IntakeSwitch:
    """Build the function. music_api: a replacement for the client that the settings describe."""
    dynamodb = aws.client("dynamodb")
    return IntakeSwitch(
        music_api=music_api
        or MusicApi(settings.music_api_origin, aws.tls, settings.connect_timeout, settings.poll_deadline),
        secrets=aws.client("secretsmanager"),
        token_secret_id=settings.api_token_secret_arn,
        signing_key_secret_id=settings.signing_key_secret_arn,
        store=IntakeStateStore(dynamodb, settings.ledger_table),
        mapping=IntakeMapping(aws.client("lambda"), settings.intake_mapping_uuid),
        telemetry=telemetry,
        budget=BudgetItem(dynamodb, settings.ledger_table, BudgetLimits(settings.creates_per_day, sender=0)),
    )
