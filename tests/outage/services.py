"""The stack's AWS clients during an outage. Their calls take time, and fail while their service is away."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from botocore.exceptions import ClientError

from song_intake.contract.sqs_message import MessageAttribute
from song_intake.outgoing.events import ACCOUNT_FAULT, EventType
from tests.outage.request_queue import RequestQueue
from tests.performance.paced_surroundings import HALF_A_WRITE, Seconds
from tests.properties.simulation.clients import KEY
from tests.properties.simulation.dynamodb import ConditionalCheckFailedException, Exceptions, Table, unavailable
from tests.properties.simulation.expressions import Item, Placeholders, holds
from tests.properties.simulation.queues import CHECKS_URL, DEAD_LETTERS_URL, REQUESTS_URL
from tests.properties.simulation.vendor import SECRET_ID, TOKEN
from tests.properties.simulation.webhooks import KEY_ID

STACK: Final = "AROASTACK:submit_song"
"""The SenderId of what the stack sends."""

TO_GIVE_UP: Final[Seconds] = (1.0, 3.0)
"""Until the SDK gives up on a service that does not answer."""

Pause = Callable[[Seconds], None]
Is = Callable[[], bool]


def never() -> bool:
    return False


class DynamoDb:
    """The ledger's table, for submit_song and switch_intake."""

    exceptions = Exceptions

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self.table = Table()
        self.calls: Counter[str] = Counter()
        self.is_away: Is = never

    def update_item(self, **write: object) -> dict[str, object]:
        self._call("UpdateItem")
        return {"Attributes": self.table.update(write)}

    def batch_execute_statement(self, **write: object) -> dict[str, object]:
        self._call("BatchExecuteStatement")
        return {"Responses": self.table.execute(write)}

    def get_item(self, *, Key: Item, **_: object) -> dict[str, object]:  # noqa: N803 - boto3's names
        self._call("GetItem")
        item = self.table.items.get(str(Key["request_id"]["S"]))
        return {"Item": item} if item else {}

    def put_item(self, *, Item: Item, ConditionExpression: str, ExpressionAttributeValues: Item, **_: object) -> None:  # noqa: N803
        self._call("PutItem")
        key = str(Item["request_id"]["S"])
        existing = self.table.items.get(key)
        if not holds(ConditionExpression, Placeholders({}, ExpressionAttributeValues), existing or {}):
            raise ConditionalCheckFailedException(existing)
        self.table.items[key] = Item

    def _call(self, operation: str) -> None:
        self.calls[operation] += 1
        if self.is_away():
            self._pause(TO_GIVE_UP)
            raise unavailable(operation)
        self._pause(HALF_A_WRITE)


class Secrets:
    """Secrets Manager. A read takes no time, because the threads of a process wait for it under a lock."""

    class exceptions:  # noqa: N801 - boto3's name
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self) -> None:
        self.throttled_reads = 0
        """How many of the next reads are throttled."""
        self.has_token: Is = lambda: True
        self.is_key_unreadable: Is = never
        self.is_away: Is = never

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, str]:  # noqa: N803
        if self.throttled_reads:
            self.throttled_reads -= 1
            raise _refused("ThrottlingException", "GetSecretValue")
        if self.is_away():
            raise _refused("InternalServiceError", "GetSecretValue")
        if SecretId == KEY_ID and self.is_key_unreadable():
            raise _refused("AccessDeniedException", "GetSecretValue")
        if VersionStage == "AWSPREVIOUS":
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": {SECRET_ID: TOKEN if self.has_token() else "", KEY_ID: KEY}[SecretId]}


class Sqs:
    """The queue of requests, the dead letters that the function sends, and the checks, which are not tracked here."""

    def __init__(self, queue: RequestQueue, now: Callable[[], float], pause: Pause) -> None:
        self._queue, self._now, self._pause = queue, now, pause
        self.letters: list[tuple[str, str]] = []
        """The request and the reason of each."""
        self.sent_anew = 0
        self.hidden_elsewhere = 0
        """Messages that are hidden beside those of the queue, as its count says."""

    def send_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        MessageBody: str,  # noqa: N803
        MessageAttributes: Mapping[str, Mapping[str, str]],  # noqa: N803
        DelaySeconds: int = 0,  # noqa: N803
    ) -> None:
        self._pause(HALF_A_WRITE)
        attributes: dict[str, MessageAttribute] = {
            name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
            for name, value in MessageAttributes.items()
        }
        if QueueUrl == DEAD_LETTERS_URL:
            self.letters.append((json.loads(MessageBody)["request_id"], attributes["reason"]["stringValue"]))
            return
        assert QueueUrl == REQUESTS_URL
        assert 0 <= DelaySeconds <= 900
        self.sent_anew += 1
        self._queue.send(MessageBody, self._now(), DelaySeconds, attributes, sender=STACK)

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Sequence[str]) -> dict[str, dict[str, str]]:  # noqa: N803
        assert QueueUrl == REQUESTS_URL
        self._pause(HALF_A_WRITE)
        (name,) = AttributeNames
        return {"Attributes": {name: str(self._queue.hidden(self._now()) + self.hidden_elsewhere)}}

    def send_message_batch(self, *, QueueUrl: str, **_: object) -> dict[str, object]:  # noqa: N803
        assert QueueUrl == CHECKS_URL
        self._pause(HALF_A_WRITE)
        return {}

    def change_message_visibility_batch(
        self,
        *,
        Entries: Sequence[Mapping[str, Any]],  # noqa: N803 - the name of SQS
        **_: object,
    ) -> dict[str, object]:
        self._pause(HALF_A_WRITE)
        for entry in Entries:
            self._queue.hide(entry["ReceiptHandle"], entry["VisibilityTimeout"], self._now())
        return {"Successful": list(Entries), "Failed": []}


class Bus:
    """EventBridge. on_fault: called with the detail of each account fault."""

    def __init__(self, pause: Pause, on_fault: Callable[[Mapping[str, object]], None]) -> None:
        self._pause, self._on_fault = pause, on_fault
        self.rejected = 0

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> dict[str, object]:  # noqa: N803
        self._pause(HALF_A_WRITE)
        for entry in Entries:
            if entry["DetailType"] == ACCOUNT_FAULT:
                self._on_fault(json.loads(entry["Detail"]))
            self.rejected += entry["DetailType"] in (EventType.REJECTED, "Message Rejected")
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "event"}] * len(Entries)}


class StepFunctions:
    def __init__(self) -> None:
        self.failed = 0

    def send_task_failure(self, **_: object) -> None:
        self.failed += 1


def _refused(code: str, operation: str) -> ClientError:
    return ClientError(cast("Any", {"Error": {"Code": code, "Message": "simulated"}}), operation)
