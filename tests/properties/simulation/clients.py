"""Simulated AWS clients for the code in app/ that builds each function."""

import ssl
from collections.abc import Mapping
from typing import Any, cast

from song_intake.app.submit import SubmitSettings
from song_intake.app.track import TrackSettings
from tests.properties.simulation.dynamodb import unavailable
from tests.properties.simulation.faults import Fault, Step, Steps
from tests.properties.simulation.queues import CHECKS_URL, DEAD_LETTERS_URL, REQUESTS_URL
from tests.properties.simulation.vendor import SECRET_ID, TOKEN
from tests.properties.simulation.webhooks import ENDPOINT, KEY_ID

KEY = "the-simulated-signing-key-0123456789"


class SimulatedClients:
    """The clients by the name of their service. `tls` is never used: no simulated client opens a connection."""

    tls = cast("ssl.SSLContext", None)

    def __init__(self, **clients: object) -> None:
        self._clients: Mapping[str, object] = clients

    def client(self, service: Any) -> Any:
        return self._clients.get(service)


class SimulatedSecrets:
    """The Secrets Manager client, with the API token and a signing key that was never rotated."""

    class exceptions:  # noqa: N801 - boto3's name
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, str]:  # noqa: N803 - boto3's names
        step, text = {SECRET_ID: (Step.SECRET, TOKEN), KEY_ID: (Step.KEY, KEY)}[SecretId]
        if self._steps.before(step) is Fault.NOT_TAKEN:
            raise unavailable("GetSecretValue")
        if VersionStage == "AWSPREVIOUS":
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": text}


def submit_settings(**changed: Any) -> SubmitSettings:
    """The template's defaults, but not paced; times in seconds."""
    settings: dict[str, Any] = {
        "music_api_origin": "https://music.invalid",
        "api_token_secret_arn": SECRET_ID,
        "ledger_table": "ledger",
        "song_requests_queue_url": REQUESTS_URL,
        "dead_letter_queue_url": DEAD_LETTERS_URL,
        "connect_timeout": 5,
        "create_deadline": 30,
        "settle_margin": 10,
        "function_timeout": 60,
        "lease": 75,
        "max_receive_count": 15,
        "retry_base": 5,
        "retry_cap": 900,
        "keep_days": 90,
        "batch_size": 10,
        "creates_per_minute": 0,
        "creates_per_day": 0,
        "creates_per_day_and_sender": 0,
        "song_checks_queue_url": CHECKS_URL,
        "first_check": 15,
        "event_bus_name": "bus",
        "webhook_url": None,
        "signing_key_secret_arn": KEY_ID,
        "resolution_window": 900,
        "ca_bundle": None,
    }
    return SubmitSettings(**settings | changed)


def webhook_settings() -> dict[str, str]:
    """The arguments of submit_settings for a stack with a webhook."""
    return {"webhook_url": ENDPOINT}


def track_settings() -> TrackSettings:
    """The template's defaults, but for fewer polls of an unknown task; times in seconds."""
    return TrackSettings(
        music_api_origin="https://music.invalid",
        api_token_secret_arn=SECRET_ID,
        signing_key_secret_arn=KEY_ID,
        ledger_table="ledger",
        keep_days=90,
        song_checks_queue_url=CHECKS_URL,
        check_dead_letter_queue_url=DEAD_LETTERS_URL,
        event_bus_name="bus",
        connect_timeout=5,
        poll_deadline=10,
        settle_margin=10,
        function_timeout=30,
        tracking_hours=24,
        unknown_task_minutes=1,
        first_check=15,
        check_cap=300,
        batch_size=10,
        ca_bundle=None,
    )
