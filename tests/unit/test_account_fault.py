"""What is told of an account fault, and what is known of it when the bus does not take it."""

import json
from collections.abc import Sequence
from typing import Any, cast

from song_intake.domain.reason import Reason
from song_intake.outgoing.events import AccountFaultPublisher


class SimulatedBus:
    """EventBridge's end of the client: it answers 200 whether it took the event or not."""

    def __init__(self, failed: int) -> None:
        self.entries: list[dict[str, str]] = []
        self._failed = failed

    def put_events(self, *, Entries: Sequence[dict[str, str]]) -> dict[str, object]:  # noqa: N803 - boto3's name
        self.entries += Entries
        return {"FailedEntryCount": self._failed, "Entries": [{"ErrorCode": "ThrottlingException"}]}


def test_an_event_that_the_bus_took_is_told() -> None:
    bus, untold = SimulatedBus(failed=0), list[str]()
    assert AccountFaultPublisher(cast("Any", bus), "bus", untold.append)(Reason.TOKEN_REFUSED)
    (entry,) = bus.entries
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        "bus",
        "song-intake.account",
        "Account Fault",
    )
    assert json.loads(entry["Detail"]) == {"reason": "TOKEN_REFUSED"}
    assert untold == []


def test_an_event_that_the_bus_answered_without_taking_is_not_told() -> None:
    bus, untold = SimulatedBus(failed=1), list[str]()
    assert not AccountFaultPublisher(cast("Any", bus), "bus", untold.append)(Reason.NO_CREDITS)
    assert untold == ["ThrottlingException"]
