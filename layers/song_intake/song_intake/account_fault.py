"""The account's fault, told on the stack's bus, where a rule has switch_intake invoked.

submit_song cannot name that function: it switches the mapping that feeds submit_song, and so each would need the other.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from song_intake.aws_failure import AWS_FAILURES, code_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_events import EventBridgeClient

    from song_intake.reason import Reason

# Not that of the songs: whoever listens to these counts on their schema (song_event.schema.json).
SOURCE = "song-intake.account"
DETAIL_TYPE = "Account Fault"


class FaultReport:
    """Safe to share between threads.

    untold: is given AWS's code when the bus did not take the event. The request waits all the same, and the next one
    that finds the fault reports it again.
    """

    def __init__(self, events: EventBridgeClient, bus_name: str, untold: Callable[[str], None]) -> None:
        self._events = events
        self._bus_name = bus_name
        self._untold = untold

    def __call__(self, reason: Reason) -> bool:
        """Whether the bus took it."""
        try:
            answer = self._events.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus_name,
                        "Source": SOURCE,
                        "DetailType": DETAIL_TYPE,
                        "Detail": json.dumps({"reason": reason}),
                    }
                ]
            )
        except AWS_FAILURES as failure:
            self._untold(code_of(failure))
            return False
        # PutEvents answers 200 though it took none.
        if answer["FailedEntryCount"]:
            self._untold(answer["Entries"][0].get("ErrorCode", "PutEvents"))
        return not answer["FailedEntryCount"]
