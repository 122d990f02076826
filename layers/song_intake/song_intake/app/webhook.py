"""The settings of receive_webhook, and its construction from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from song_intake.app.environment import Settings
from song_intake.aws.signing_key import SigningKeys
from song_intake.contract.proof import Proofs
from song_intake.outgoing.checks import SongChecks
from song_intake.work.webhook_endpoint import WebhookEndpoint

if TYPE_CHECKING:
    from song_intake.aws.clients import Clients
    from song_intake.outgoing.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings(Settings):
    """Times are in seconds."""

    aws_seconds: ClassVar[float] = 6
    """The longest three AWS calls in a row (two reads of the key, one check): see AwsClients. An HTTP API waits 30
    seconds for its function:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
    """

    signing_key_secret_arn: str
    song_checks_queue_url: str


def receive_webhook(settings: WebhookSettings, aws: Clients, telemetry: Telemetry) -> WebhookEndpoint:
    """Build the function."""
    keys = SigningKeys(aws.client("secretsmanager"), settings.signing_key_secret_arn)
    return WebhookEndpoint(
        keys=keys,
        proofs=Proofs(keys),
        checks=SongChecks(aws.client("sqs"), settings.song_checks_queue_url, first_check=0),
        telemetry=telemetry,
    )
