"""Every event that the stack publishes: a rule on its bus, with a queue of this run as its target."""

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from tests.local.cloud.events_to_queue import send_events_to
from tests.local.intake import Intake

LONG_POLL: Final = 1  # seconds
LONGEST_VISIBILITY: Final = "43200"  # seconds, as SQS has it


class Events:
    """Subscribed from construction on. `received` counts the events by their ids; repeats share an id."""

    def __init__(self, intake: Intake) -> None:
        self.received: Counter[str] = Counter()
        self._sqs = intake.cloud.client("sqs")
        # A received message stays hidden for longer than any run, so it need not be deleted.
        queue = self._sqs.create_queue(
            QueueName=f"{intake.stack.name}-events", Attributes={"VisibilityTimeout": LONGEST_VISIBILITY}
        )
        self._queue_url = queue["QueueUrl"]
        bus = intake.stack.outputs["EventBusName"]
        send_events_to(intake.cloud.client("events"), self._sqs, self._queue_url, bus=bus, rule="everything")

    def receive(self, until: Callable[[], bool], seconds: float) -> None:
        """Returns when `until` holds and the queue is empty, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while self._receive_some() or not (until() or time.monotonic() > deadline):
            pass

    def _receive_some(self) -> bool:
        """Whether the queue had any message."""
        messages = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=LONG_POLL
        ).get("Messages", [])
        self.received.update(json.loads(message["Body"])["detail"]["id"] for message in messages)
        return bool(messages)
