"""An SQS queue in memory with its dead-letter queue, for requests or for checks.

`QueuedMessage` is what the function receives. `Sent` is what only the simulation knows: the message that the caller
sent, which a redrive or a dead letter continues.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from song_intake.contract.sqs_message import MessageAttribute, SqsRecord
from tests.properties.simulation.dynamodb import failed, no_answer, unavailable
from tests.properties.simulation.faults import Fault, Step, Steps

REQUESTS_URL: Final = "https://simulated.invalid/requests"
DEAD_LETTERS_URL: Final = "https://simulated.invalid/dead-letters"
CHECKS_URL: Final = "https://simulated.invalid/checks"
VISIBILITY_SECONDS: Final = 360.0

Attributes = Mapping[str, MessageAttribute]


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of a caller, as only the simulation knows it."""

    name: str
    request_id: str
    """Its key in the ledger, through all redrives."""
    song: str
    """The title in its body; two messages with the same title have the same body."""
    valid: bool = True
    has_own_id: bool = False
    not_after: float | None = None


@dataclass(slots=True)
class QueuedMessage:
    message_id: str
    body: str
    sent: Sent
    attributes: Attributes
    visible_at: float = 0.0
    sent_at: float = 0.0
    receive_count: int = 0
    receipt_handle: str = ""

    @property
    def was_moved(self) -> bool:
        """Whether this dead letter was moved by SQS after its last receive. Those that the function sends are new."""
        return self.receive_count > 0

    def attribute(self, name: str) -> str | None:
        return self.attributes.get(name, {}).get("stringValue")

    def record(self) -> SqsRecord:
        """The record in Lambda's event."""
        return {
            "messageId": self.message_id,
            "receiptHandle": self.receipt_handle,
            "body": self.body,
            "attributes": {
                "ApproximateReceiveCount": str(self.receive_count),
                "SentTimestamp": str(int(self.sent_at * 1000)),
                "SenderId": "AROASENDER:session",
            },
            "messageAttributes": dict(self.attributes),
        }


@dataclass(slots=True)
class Queues:
    max_receive_count: int
    url: str = REQUESTS_URL
    visibility: float = VISIBILITY_SECONDS
    requests: list[QueuedMessage] = field(default_factory=list)
    dead_letters: list[QueuedMessage] = field(default_factory=list)
    deleted: list[QueuedMessage] = field(default_factory=list)
    checked: set[str] = field(default_factory=set)
    """The tasks that have had a check."""
    _ids: int = 0

    def send(
        self, sent: Sent, body: str, message_id: str | None = None, *, now: float = 0.0, delay: float = 0.0
    ) -> QueuedMessage:
        message = QueuedMessage(
            message_id or self._new_id("message"), body, sent, {}, visible_at=now + delay, sent_at=now
        )
        self.requests.append(message)
        return message

    def receive(self, message: QueuedMessage, now: float) -> QueuedMessage | None:
        """The delivery. None if no receives are left: SQS moves the message unchanged to the dead-letter queue."""
        if message.receive_count >= self.max_receive_count:
            self.requests.remove(message)
            self.dead_letters.append(message)
            return None
        message.receive_count += 1
        message.visible_at = now + self.visibility
        message.receipt_handle = self._new_id("receipt")
        return replace(message)

    def delete(self, delivery: QueuedMessage, *, also_by_a_stale_handle: bool) -> None:
        """Delete the message. With a stale receipt handle, SQS reports success but may not delete it."""
        for message in self.requests:
            is_it = message.message_id == delivery.message_id
            if is_it and (also_by_a_stale_handle or message.receipt_handle == delivery.receipt_handle):
                self.requests.remove(message)
                self.deleted.append(message)
                return

    def deliver_again(self, message: QueuedMessage) -> None:
        self.deleted.remove(message)
        self.requests.append(message)

    def redrive(self, letter: QueuedMessage, now: float = 0.0) -> QueuedMessage:
        """Move it back like StartMessageMoveTask: a new id, a new receive count, the same attributes."""
        self.dead_letters.remove(letter)
        message = replace(letter, message_id=self._new_id("redriven"), receive_count=0, visible_at=now, sent_at=now)
        self.requests.append(message)
        return message

    def add_dead_letter(self, delivery: QueuedMessage, body: str, attributes: Attributes) -> None:
        letter = QueuedMessage(self._new_id("letter"), body, delivery.sent, attributes)
        self.dead_letters.append(letter)

    def add_anew(self, delivery: QueuedMessage, body: str, attributes: Attributes, now: float, delay: float) -> None:
        """A new message takes the place of the delivery: a new id, a new receive count."""
        self.requests.append(
            QueuedMessage(self._new_id("anew"), body, delivery.sent, attributes, visible_at=now + delay, sent_at=now)
        )

    def hide(self, receipt_handle: str, until: float) -> None:
        for message in self.requests:
            if message.receipt_handle == receipt_handle:
                message.visible_at = until

    def _new_id(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}-{self._ids}"


class Deliveries(Steps):
    """What the simulated clients need to know about their caller."""

    now: float

    def being_handled(self) -> QueuedMessage:
        """The delivery that the calling function handles."""
        raise NotImplementedError


class SimulatedSqs:
    """The function's SQS client, which sends dead letters and checks, and changes visibility."""

    def __init__(self, world: Deliveries, queues: Queues, checks: Queues | None = None) -> None:
        """`queues`: those of the function. Without `checks`, songs are not tracked."""
        self._world = world
        self._queues = queues
        self._checks = checks

    def get_queue_attributes(self, *, AttributeNames: Sequence[str], **_: object) -> dict[str, dict[str, str]]:  # noqa: N803
        return {"Attributes": dict.fromkeys(AttributeNames, "0")}

    def send_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - boto3's names
        MessageBody: str,  # noqa: N803
        MessageAttributes: Mapping[str, Mapping[str, str]] | None = None,  # noqa: N803
        DelaySeconds: int = 0,  # noqa: N803
        MessageGroupId: str | None = None,  # noqa: N803
    ) -> None:
        is_letter = QueueUrl == DEAD_LETTERS_URL
        assert is_letter or (QueueUrl == REQUESTS_URL and 0 <= DelaySeconds <= 900)
        fault = self._world.before(Step.LETTER if is_letter else Step.ANEW)
        if fault is Fault.NOT_TAKEN:
            raise unavailable("SendMessage")
        if fault is Fault.FORBIDDEN:
            raise failed("AccessDenied", "SendMessage")
        attributes: Attributes = {
            name: {"dataType": attribute["DataType"], "stringValue": attribute["StringValue"]}
            for name, attribute in (MessageAttributes or {}).items()
        }
        if is_letter:
            self._queues.add_dead_letter(self._world.being_handled(), MessageBody, attributes)
        else:
            self._queues.add_anew(self._world.being_handled(), MessageBody, attributes, self._world.now, DelaySeconds)
        if fault is Fault.ANSWER_LOST:
            raise no_answer()

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> dict[str, object]:  # noqa: N803
        assert QueueUrl == CHECKS_URL
        fault = self._world.before(Step.CHECK)
        if fault is Fault.NOT_TAKEN:
            raise unavailable("SendMessageBatch")
        for entry in Entries:
            self._add_check(entry["MessageBody"], entry["DelaySeconds"])
        if fault is Fault.ANSWER_LOST:
            raise no_answer()
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries], "Failed": []}

    def _add_check(self, body: str, delay: int) -> None:
        assert 0 <= delay <= 900
        check = json.loads(body)
        self._queues.checked.add(check["task_id"])
        if self._checks is not None:
            self._checks.send(Sent("a check", check["request_id"], song=""), body, now=self._world.now, delay=delay)

    def change_message_visibility_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - the names of SQS
        Entries: Sequence[Mapping[str, object]],  # noqa: N803
    ) -> dict[str, object]:
        assert QueueUrl == self._queues.url
        if self._world.before(Step.HIDE) is Fault.NOT_TAKEN:
            raise unavailable("ChangeMessageVisibilityBatch")
        for entry in Entries:
            seconds = entry["VisibilityTimeout"]
            assert isinstance(seconds, int)
            assert 0 <= seconds <= 12 * 3600
            self._queues.hide(str(entry["ReceiptHandle"]), self._world.now + seconds)
        return {}
