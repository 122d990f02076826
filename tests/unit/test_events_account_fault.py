"""An account fault as an event, and what is reported when the bus rejects it."""

import json
from collections.abc import Sequence
from typing import Any, cast

from song_intake.domain.reason import Reason
from song_intake.outgoing.events import AccountFaultPublisher


class SimulatedBus:
    """EventBridge's side of the client: it returns 200 even if it rejected the event."""

    def __init__(self, failed: int) -> None:
        self.entries: list[dict[str, str]] = []
        self._failed = failed

    def put_events(self, *, Entries: Sequence[dict[str, str]]) -> dict[str, object]:  # noqa: N803 - boto3's name
        self.entries += Entries
        return {"FailedEntryCount": self._failed, "Entries": [{"ErrorCode": "ThrottlingException"}]}


def test_an_accepted_event_counts_as_published() -> None:
    bus, errors = SimulatedBus(failed=0), list[str]()
    assert AccountFaultPublisher(cast("Any", bus), "bus", errors.append)(Reason.TOKEN_REFUSED, None)
    (entry,) = bus.entries
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        "bus",
        "song-intake.account",
        "Account Fault",
    )
    assert json.loads(entry["Detail"]) == {"reason": "TOKEN_REFUSED"}
    assert errors == []


def test_an_event_rejected_in_a_200_response_is_not_published() -> None:
    bus, errors = SimulatedBus(failed=1), list[str]()
    assert not AccountFaultPublisher(cast("Any", bus), "bus", errors.append)(Reason.NO_CREDITS, 1_700_000_000.5)
    assert errors == ["ThrottlingException"]
    assert json.loads(bus.entries[0]["Detail"]) == {"reason": "NO_CREDITS", "until": 1_700_000_000.5}
