"""The vendor's webhooks in memory."""

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
        """The event of the HTTP API, signed now."""
        return cast("HttpApiEvent", lambda_event(self.call.call()))


@dataclass(slots=True)
class Courier:
    """Sends the vendor's webhooks. They are documented as "at least once"; the tests also cover no repeats."""

    repeats: bool
    due: list[DueCall] = field(default_factory=list)

    def tell(self, webhook: tuple[str, str], task_id: str, at: float) -> None:
        """Schedule the webhook of a song that has ended."""
        url, secret = webhook
        request_id, mac = url.removeprefix(f"{ENDPOINT}/").split("/")
        body = json.dumps({"task_id": task_id, "event": "song.completed", "data": []}).encode()
        self.due.append(DueCall(at, Genuine(request_id, mac, secret, body)))

    def answered(self, call: DueCall, now: float, *, accepted: bool) -> None:
        if not accepted and self.repeats:
            self.due.append(DueCall(now + SECONDS_TO_REPEAT, call.call))
