"""The vendor's webhooks in memory."""

import json
import time
from dataclasses import dataclass, field, replace
from typing import Final, cast

from song_intake.work.webhook_endpoint import HttpApiEvent
from tests.local.webhooks.call import Genuine, unix_time
from tests.local.webhooks.event import lambda_event

ENDPOINT: Final = "https://simulated.invalid"
KEY_ID: Final = "simulated-key"
SECONDS_TO_REPEAT: Final = 60.0


@dataclass(frozen=True, slots=True)
class DueCall:
    at: float
    call: Genuine
    age: float = 0.0
    """Seconds between its signature and its arrival."""

    def event(self) -> HttpApiEvent:
        """The event of the HTTP API."""
        signed = self.call.call(timestamp=unix_time(time.time() - self.age))
        return cast("HttpApiEvent", lambda_event(signed))


@dataclass(slots=True)
class Courier:
    """Sends the vendor's webhooks. They are documented as "at least once"; the tests also cover no repeats."""

    repeats: bool
    due: list[DueCall] = field(default_factory=list)

    def tell(self, webhook: tuple[str, str], task_id: str, at: float, age: float = 0.0) -> None:
        """Schedule the webhook of a song that has ended."""
        url, secret = webhook
        request_id, mac = url.removeprefix(f"{ENDPOINT}/").split("/")
        body = json.dumps({"task_id": task_id, "event": "song.completed", "data": []}).encode()
        self.due.append(DueCall(at, Genuine(request_id, mac, secret, body), age))

    def answered(self, call: DueCall, now: float, *, accepted: bool) -> None:
        if not accepted and self.repeats:
            self.due.append(replace(call, at=now + SECONDS_TO_REPEAT))
