"""The vendor's webhook in memory: the calls that are due."""

import json
from dataclasses import dataclass, field
from typing import Final, cast

from song_intake.work.webhook_endpoint import HttpApiEvent
from tests.local.webhooks.call import Genuine
from tests.local.webhooks.event import lambda_event

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
