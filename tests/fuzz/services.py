"""AWS services in memory that accept every call, check what AWS would check in it, and record what was sent."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from botocore.exceptions import ClientError

from song_intake.aws.signing_key import SigningKey, SigningKeys
from song_intake.outgoing.telemetry import Telemetry
from tests.fuzz.canaries import leaves_of
from tests.properties.simulation.clients import SimulatedClients, SimulatedSecrets
from tests.properties.simulation.dynamodb import SimulatedDynamoDb, Table
from tests.properties.simulation.faults import Fault, Step, Steps
from tests.signing import SECOND_KEY, SIGNING_KEY, StaticKeys

Item = dict[str, Any]

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_SQS_TEXT: Final = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
_NUMBER: Final = re.compile(r"-?[0-9]{1,38}(\.[0-9]{1,38})?|-?[0-9]\.[0-9]+e[+-]?[0-9]{1,2}")
_MOST_ITEM_BYTES: Final = 400 * 1024
_SET: Final = re.compile(r"(#?\w+) = (?:if_not_exists\(\w+, )?(:\w+)")


class NoFaults(Steps):
    """Every call succeeds."""

    def before(self, step: Step) -> Fault | None:
        return None


class FuzzKeys(StaticKeys):
    """The two keys, also where they are read again."""

    def read_again(self) -> tuple[SigningKey, ...]:
        return self.current_first()


def signing_keys() -> SigningKeys:
    return cast("SigningKeys", FuzzKeys(SIGNING_KEY, SECOND_KEY))


def assert_storable(value: Mapping[str, Any]) -> None:
    """Whether DynamoDB takes this attribute value: its texts are UTF-8, and its numbers have at most 38 digits."""
    assert sum(len(leaf.encode()) for leaf in leaves_of(value) if isinstance(leaf, str)) < _MOST_ITEM_BYTES
    _assert_values(value)


def _assert_values(value: Mapping[str, Any]) -> None:
    match value:
        case {"N": number}:
            assert _NUMBER.fullmatch(number), f"DynamoDB refuses the number {number!r}"
        case {"SS": members}:
            assert members
            assert all(members)
        case {"M": members}:
            for inside in members.values():
                _assert_values(inside)
        case {"L": members}:
            for inside in members:
                _assert_values(inside)


@dataclass(slots=True)
class Recorded:
    """What a function sent, logged and stored."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    """Of tasks of Step Functions."""
    lines: list[object] = field(default_factory=list)
    """The log lines, with their keys."""


class RecordingQueue:
    """The SQS client. A message that SQS would refuse as a whole is an AssertionError."""

    def __init__(self, recorded: Recorded, letters: Sequence[Item] = ()) -> None:
        self._recorded = recorded
        self._letters = list(letters)
        self.deleted: list[str] = []

    def receive_message(self, **_: object) -> dict[str, Any]:
        letters, self._letters = self._letters, []
        return {"Messages": letters} if letters else {}

    def send_message(self, **message: Any) -> None:
        if not _SQS_TEXT.fullmatch(message["MessageBody"]):
            raise refused("InvalidMessageContents", "SendMessage")
        attributes = message.get("MessageAttributes", {})
        assert len(attributes) <= 10
        for attribute in attributes.values():
            assert attribute["DataType"].startswith(("String", "Number"))
            assert attribute["StringValue"]
        self._recorded.messages.append(message)

    def send_message_batch(self, *, Entries: Sequence[Item], **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self._recorded.messages += Entries
        return {"Failed": []}

    def delete_message(self, *, ReceiptHandle: str, **_: object) -> None:  # noqa: N803
        self.deleted.append(ReceiptHandle)

    def change_message_visibility_batch(self, **_: object) -> dict[str, object]:
        """Nothing to do: every message is delivered once."""
        return {"Successful": [], "Failed": []}


class RecordingEvents:
    """The EventBridge client."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    def put_events(self, *, Entries: Sequence[Item]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        assert sum(len(entry["Detail"].encode()) for entry in Entries) < 256 * 1024
        self._recorded.events += Entries
        return {"FailedEntryCount": 0, "Entries": []}


class RecordingTasks:
    """The Step Functions client."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    def send_task_success(self, **answer: Any) -> None:
        self._recorded.answers.append(answer)

    def send_task_failure(self, **answer: Any) -> None:
        self._recorded.answers.append(answer)


class CheckedDynamoDb(SimulatedDynamoDb):
    """The table of the simulation, with its conditions. What it would refuse to store is an AssertionError."""

    def update_item(self, **write: object) -> dict[str, object]:
        assert_storable({"M": write["ExpressionAttributeValues"]})
        return super().update_item(**write)

    def batch_execute_statement(self, **write: object) -> dict[str, object]:
        for statement in cast("Sequence[Item]", write["Statements"]):
            assert_storable({"L": statement["Parameters"]})
        return super().batch_execute_statement(**write)


class AcceptingTable:
    """The DynamoDB client of an operator's function: every condition holds, and the items are those of one page."""

    class exceptions:  # noqa: N801 - boto3's name
        class ConditionalCheckFailedException(Exception):
            pass

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = {item["request_id"]["S"]: item for item in items}

    def get_item(self, *, Key: Item, **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's name
        item = self._items.get(Key["request_id"]["S"])
        return {"Item": item} if item else {}

    def put_item(self, *, Item: Item, **_: object) -> None:  # noqa: N803
        assert_storable({"M": Item})
        self._items[Item["request_id"]["S"]] = Item

    def query(self, *, ExclusiveStartKey: Item | None = None, **_: object) -> dict[str, Any]:  # noqa: N803
        assert_storable({"M": ExclusiveStartKey or {}})
        return {"Items": [item for item in self._items.values() if "doubt" in item]}

    def scan(self, **_: object) -> dict[str, Any]:
        return {"Items": []}

    def update_item(self, **write: Any) -> dict[str, Any]:
        values, names = write["ExpressionAttributeValues"], write.get("ExpressionAttributeNames", {})
        assert_storable({"M": values})
        change = {names.get(name, name): values[value] for name, value in _SET.findall(write["UpdateExpression"])}
        key = write["Key"]["request_id"]["S"]
        self._items[key] = {**self._items.get(key, write["Key"]), **change}
        return {"Attributes": self._items[key]}


def clients(recorded: Recorded, queue: RecordingQueue, dynamodb: object = None) -> SimulatedClients:
    """The clients from which app/ builds a function."""
    return SimulatedClients(
        dynamodb=dynamodb or CheckedDynamoDb(NoFaults(), Table()),
        sqs=queue,
        events=RecordingEvents(recorded),
        stepfunctions=RecordingTasks(recorded),
        secretsmanager=SimulatedSecrets(NoFaults()),
    )


class _Lines:
    """A logger and metrics in one."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    def info(self, text: str, extra: object = None) -> None:
        self._recorded.lines.append((text, extra))

    warning = error = info

    def add_metric(self, *metric: object) -> None:
        self._recorded.lines.append(metric)

    def flush_metrics(self) -> None:
        """Nothing to do."""


def telemetry_of(recorded: Recorded) -> Telemetry:
    """Telemetry that records its lines."""
    lines = cast("Any", _Lines(recorded))
    return Telemetry(lines, lines)


def refused(code: str, operation: str) -> ClientError:
    """A refusal of AWS."""
    return ClientError(cast("Any", {"Error": {"Code": code, "Message": "simulated"}}), operation)
