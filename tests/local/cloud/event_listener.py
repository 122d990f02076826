"""A consumer of the stack's events, as one of its users would set it up: a rule on the bus, and a queue."""

import json
from typing import Any

from tests.local.cloud.events_to_queue import send_events_to
from tests.local.cloud.received import receive_all
from tests.local.contract import errors_in
from tests.local.intake import Intake
from tests.local.waiting import wait_for


class EventListener:
    """Hears every event of one stack from the moment it is made."""

    def __init__(self, intake: Intake) -> None:
        self._sqs = intake.cloud.client("sqs")
        bus, name = intake.stack.outputs["EventBusName"], f"{intake.stack.name}-heard"
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        send_events_to(intake.cloud.client("events"), self._sqs, self._url, bus=bus, rule=name)
        self._heard: list[dict[str, Any]] = []

    def events_of(self, request_id: str) -> list[dict[str, Any]]:
        """The events of one request so far, in the order in which they came."""
        for message in receive_all(self._sqs, self._url):
            event = json.loads(message["Body"])
            assert errors_in("song_event", event["detail"]) == []
            self._heard.append(event)
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [event for event in self._heard if event["detail"].get("request_id") == request_id]

    def wait_for(self, request_id: str, detail_type: str, seconds: float = 60) -> dict[str, Any]:
        """The first event of that type about the request."""

        def found() -> dict[str, Any] | None:
            return next((event for event in self.events_of(request_id) if event["detail-type"] == detail_type), None)

        return wait_for(found, f"{detail_type} of {request_id}", seconds)
