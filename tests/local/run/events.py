"""Every event that the stack publishes: a rule on its bus, with a queue of this run as its target."""

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

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
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])
        rule = {"Rule": "everything", "EventBusName": intake.stack.outputs["EventBusName"]}
        events = intake.cloud.client("events")
        events.put_rule(
            Name=rule["Rule"], EventBusName=rule["EventBusName"], EventPattern='{"source": ["song-intake"]}'
        )
        events.put_targets(**rule, Targets=[{"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}])

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
