"""The vendor's webhook in memory: calls that are due, and the secret with the key that our addresses are made of."""

import json
from dataclasses import dataclass, field
from typing import Final, cast

from song_intake.webhook_event import HttpApiEvent
from tests.local.webhooks.call import Genuine
from tests.local.webhooks.event import lambda_event
from tests.properties.simulation.dynamodb import unavailable
from tests.properties.simulation.faults import Fault, Step, Steps

ENDPOINT: Final = "https://simulated.invalid"
KEY_ID: Final = "simulated-key"
SECONDS_TO_REPEAT: Final = 60.0


@dataclass(frozen=True, slots=True)
class DueCall:
    at: float
    call: Genuine

    def event(self) -> HttpApiEvent:
        """As the gateway hands it over, signed now."""
        return cast("HttpApiEvent", lambda_event(self.call.call()))


@dataclass(slots=True)
class Courier:
    """The calls that the vendor has to make. UPSTREAM says "at least once"; one that does not repeat is the weaker."""

    repeats: bool
    due: list[DueCall] = field(default_factory=list)

    def tell(self, webhook: tuple[str, str], task_id: str, at: float) -> None:
        """The song of this address and secret has ended."""
        url, secret = webhook
        request_id, mac = url.removeprefix(f"{ENDPOINT}/").split("/")
        body = json.dumps({"task_id": task_id, "event": "song.completed", "data": []}).encode()
        self.due.append(DueCall(at, Genuine(request_id, mac, secret, body)))

    def answered(self, call: DueCall, now: float, *, accepted: bool) -> None:
        if not accepted and self.repeats:
            self.due.append(DueCall(now + SECONDS_TO_REPEAT, call.call))


class SimulatedKeySecret:
    """The Secrets Manager client of the functions that make or verify an address. The key was never rotated."""

    class exceptions:  # noqa: N801 - boto3's name
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, str]:  # noqa: N803 - boto3's names
        assert SecretId == KEY_ID
        if self._steps.before(Step.KEY) is Fault.NOT_TAKEN:
            raise unavailable("GetSecretValue")
        if VersionStage == "AWSPREVIOUS":
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": "simulated-key-of-the-webhook"}
