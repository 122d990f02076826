"""The probe stack seen from a test: orders go in by its queue, deliveries come out of its journal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.local.cloud.cloud import Cloud
from tests.local.cloud.deployment import Stack, deploy
from tests.local.waiting import wait_for

TEMPLATE = Path(__file__).parent / "probe" / "template.yaml"
JOURNAL = "JOURNAL"  # environment variable: the file that the function writes its deliveries to


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the function wrote of one delivery; times in seconds since 1970, `time` as it finished the message."""

    message_id: str
    order: dict[str, Any]
    receive_count: int
    first_received: float
    outcome: str
    process_id: int
    time: float


@dataclass(frozen=True, slots=True)
class Probe:
    cloud: Cloud
    stack: Stack
    journal: Path

    def order(self, do: str, **details: object) -> str:
        """Sends one order; its message id."""
        sent = self.cloud.client("sqs").send_message(
            QueueUrl=self.stack.outputs["QueueUrl"], MessageBody=json.dumps({"do": do, **details})
        )
        return sent["MessageId"]

    def deliveries(self, message_id: str) -> list[Delivery]:
        """In the order of the receives: one that waited for its process may be written down behind a later one."""
        deliveries = [delivery for delivery in self.all_deliveries() if delivery.message_id == message_id]
        return sorted(deliveries, key=lambda delivery: delivery.receive_count)

    def start_processes(self, count: int) -> None:
        """Let the mapping start so many, so that no later order waits for one (and becomes visible meanwhile)."""
        for order in [self.order("work", seconds=0.5) for _ in range(count)]:
            self.wait_for_deliveries(order, 1)

    def wait_for_deliveries(self, message_id: str, count: int) -> list[Delivery]:
        wait_for(lambda: len(self.deliveries(message_id)) >= count, f"{count} deliveries of {message_id}")
        return self.deliveries(message_id)[:count]

    def messages_left(self) -> int:
        """Messages on the queue, visible or in flight."""
        attributes = self.cloud.client("sqs").get_queue_attributes(
            QueueUrl=self.stack.outputs["QueueUrl"], AttributeNames=["All"]
        )["Attributes"]
        visible, in_flight = (
            attributes["ApproximateNumberOfMessages"],
            attributes["ApproximateNumberOfMessagesNotVisible"],
        )
        return int(visible) + int(in_flight)

    def all_deliveries(self) -> list[Delivery]:
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [Delivery(**json.loads(line)) for line in lines]


def deploy_probe(cloud: Cloud, journal: Path, stack_name: str, parameters: Mapping[str, str] | None = None) -> Probe:
    return Probe(cloud, deploy(cloud, TEMPLATE, stack_name, parameters), journal)
