"""The settings of redrive_letters, and its construction from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from song_intake.app.environment import Settings
from song_intake.aws.signing_key import SigningKeys
from song_intake.contract.proof import Proofs
from song_intake.work.redrive import LetterRoute, Redrive

if TYPE_CHECKING:
    from song_intake.aws.clients import Clients


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveSettings(Settings):
    """The queues, and the key that signs what is moved."""

    aws_seconds: ClassVar[float] = 30
    """The longest three AWS calls in a row: see AwsClients. Our choice: a receive waits for a second by itself."""

    signing_key_secret_arn: str
    song_requests_queue_url: str
    dead_letter_queue_url: str
    song_checks_queue_url: str
    check_dead_letter_queue_url: str
    song_recordings_queue_url: str | None
    recording_dead_letter_queue_url: str | None


def redrive_letters(settings: RedriveSettings, aws: Clients) -> Redrive:
    """Build the function."""
    routes = {
        "requests": LetterRoute(settings.dead_letter_queue_url, settings.song_requests_queue_url),
        "checks": LetterRoute(settings.check_dead_letter_queue_url, settings.song_checks_queue_url),
    }
    if settings.recording_dead_letter_queue_url and settings.song_recordings_queue_url:
        recordings = LetterRoute(settings.recording_dead_letter_queue_url, settings.song_recordings_queue_url)
        routes["recordings"] = recordings
    return Redrive(
        sqs=aws.client("sqs"),
        proofs=Proofs(SigningKeys(aws.client("secretsmanager"), settings.signing_key_secret_arn)),
        routes=routes,
    )
