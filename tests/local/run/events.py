"""Everything that the stack announces: a rule on its bus, and a queue of this run's own behind it."""

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from tests.local.intake import Intake

LONG_POLL: Final = 1  # seconds
LONGEST_VISIBILITY: Final = "43200"  # seconds, as SQS has it


class Events:
    """Listens from its making on. `heard` counts each event by its id, which a repeat shares."""

    def __init__(self, intake: Intake) -> None:
        self.record_outcome: Counter[str] = Counter()
        self._sqs = intake.cloud.client("sqs")
        # What was heard stays hidden for longer than any run, which spares deleting it.
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

    def listen(self, until: Callable[[], bool], seconds: float) -> None:
        """Returns when `until` holds and the queue is empty, or when the time is over."""
        deadline = time.monotonic() + seconds
        while self._hear() or not (until() or time.monotonic() > deadline):
            pass

    def _hear(self) -> bool:
        """Whether there was anything."""
        messages = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=LONG_POLL
        ).get("Messages", [])
        self.record_outcome.update(json.loads(message["Body"])["detail"]["id"] for message in messages)
        return bool(messages)
