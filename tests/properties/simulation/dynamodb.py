"""DynamoDB with one table, in memory: the writes of the ledger, and their faults."""

from collections.abc import Mapping
from typing import Any, Final, cast

from botocore.exceptions import ClientError, ReadTimeoutError

from song_intake.ledger.row import Row
from tests.properties.simulation.expressions import AttributeValue, Item, NotUnderstood, Placeholders, holds, updated
from tests.properties.simulation.faults import Fault, Step, Steps
from tests.properties.simulation.statements import executed

Write = Mapping[str, object]

KNOWN_PARAMETERS: Final = frozenset(
    {
        "TableName",
        "Key",
        "UpdateExpression",
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValues",
        "ReturnValuesOnConditionCheckFailure",
    }
)


class ConditionalCheckFailedException(ClientError):
    """A condition did not hold. The response has the existing item, if there is one."""

    def __init__(self, item: Item | None, retries: int = 0) -> None:
        """retries: how often the SDK had sent the write before."""
        response: dict[str, object] = {
            "Error": {"Code": type(self).__name__, "Message": "simulated"},
            "ResponseMetadata": {"RetryAttempts": retries},
        }
        if item:
            response["Item"] = item
        super().__init__(cast("Any", response), "UpdateItem")  # the type stubs lack the item
        self.item = item or {}


class Exceptions:
    """`client.exceptions` of boto3."""

    ConditionalCheckFailedException: Final = ConditionalCheckFailedException


class Table:
    """The items by request_id, and the writes that change them."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.past: dict[str, list[Item]] = {}
        """Each item after each of its updates."""
        self._rows: dict[str, tuple[Item, Row]] = {}

    def rows(self) -> dict[str, Row]:
        """The rows of requests. Each write makes a new item, so an item is read only once."""
        for key, item in self.items.items():
            # Items of the pace and of a message's steps have no status.
            if "status" in item and (key not in self._rows or self._rows[key][0] is not item):
                self._rows[key] = (item, Row.of(item))  # type: ignore[arg-type]  # both types are an item's JSON
        return {key: row for key, (_, row) in self._rows.items() if key in self.items}

    def update(self, write: Write) -> Item:
        """Return the item after the write (ALL_NEW). Raises ConditionalCheckFailedException with ALL_OLD."""
        if unknown := write.keys() - KNOWN_PARAMETERS:
            raise NotUnderstood(f"UpdateItem with {unknown}")
        change, condition = str(write["UpdateExpression"]), str(write.get("ConditionExpression", ""))
        placeholders = Placeholders(
            names=cast("Mapping[str, str]", write.get("ExpressionAttributeNames", {})),
            values=cast("Mapping[str, AttributeValue]", write["ExpressionAttributeValues"]),
        )
        placeholders.refuse_unused(change, condition)
        key = cast("Item", write["Key"])
        request_id = str(key["request_id"]["S"])
        existing = self.items.get(request_id)
        changed = updated(change, placeholders, existing or key)
        if condition and not holds(condition, placeholders, existing or {}):
            raise ConditionalCheckFailedException(existing)
        self.items[request_id] = changed
        self.past.setdefault(request_id, []).append(changed)
        return changed

    def execute(self, write: Write) -> list[dict[str, object]]:
        """The responses to a BatchExecuteStatement, one for each statement."""
        refusals = [executed(statement, self.items) for statement in cast("list[Write]", write["Statements"])]
        return [_response(refusal) for refusal in refusals]


class SimulatedDynamoDb:
    """A client of the table. The schedule decides the fault of each call."""

    exceptions = Exceptions

    def __init__(self, steps: Steps, table: Table) -> None:
        self._steps = steps
        self._table = table
        self.late: list[Write] = []
        """Writes that will arrive later."""
        self.has_landed_late = False

    def update_item(self, **write: object) -> dict[str, object]:
        fault = self._steps.before(Step.WRITE)
        self._first_attempt(fault, write, "UpdateItem")
        if fault is None:
            return {"Attributes": self._table.update(write)}
        return self._send_again(write)

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool) -> dict[str, object]:  # noqa: N803 - boto3's
        assert TableName == "ledger"
        assert ConsistentRead
        if self._steps.before(Step.READ) is Fault.NOT_TAKEN:
            raise unavailable("GetItem")
        item = self._table.items.get(str(Key["request_id"]["S"]))
        return {"Item": item} if item else {}

    def batch_execute_statement(self, **write: object) -> dict[str, object]:
        fault = self._steps.before(Step.STATEMENTS)
        self._first_attempt(fault, write, "BatchExecuteStatement")
        if fault in (Fault.REFUSED_ONE_BY_ONE, Fault.DONE_AND_REFUSED):
            return self._all_refused(write)
        return {"Responses": self._table.execute(write)}

    def _first_attempt(self, fault: Fault | None, write: Write, operation: str) -> None:
        """The first attempt of a call that may fail. Raises if the SDK does not retry."""
        if fault in (Fault.ANSWER_LOST, Fault.SENT_TWICE, Fault.DONE_AND_REFUSED):
            self._apply(write)
        if fault in (Fault.LATE, Fault.LATE_AND_SENT_AGAIN):
            self.late.append(write)
        if fault is Fault.NOT_TAKEN:
            raise unavailable(operation)
        if fault in (Fault.ANSWER_LOST, Fault.LATE):
            raise no_answer()

    def _all_refused(self, write: Write) -> dict[str, object]:
        return {"Responses": [_response("InternalServerError") for _ in cast("list[Write]", write["Statements"])]}

    def land(self, write: Write) -> None:
        """One of the late writes arrives."""
        self.late.remove(write)
        self.has_landed_late = True
        self._apply(write)

    def _send_again(self, write: Write) -> dict[str, object]:
        match self._steps.before(Step.WRITE_AGAIN):
            case None:
                try:
                    return {"Attributes": self._table.update(write)}
                except ConditionalCheckFailedException as failed:
                    raise ConditionalCheckFailedException(failed.item, retries=1) from None
            case Fault.NOT_TAKEN:
                raise unavailable("UpdateItem")
            case _:
                self._apply(write)
                raise no_answer()

    def _apply(self, write: Write) -> None:
        """Apply the write, or fail its condition; the response is lost."""
        if "Statements" in write:
            self._table.execute(write)
            return
        try:
            self._table.update(write)
        except ConditionalCheckFailedException:
            return


def _response(refusal: str | None) -> dict[str, object]:
    return {} if refusal is None else {"Error": {"Code": refusal, "Message": "simulated"}}


def unavailable(operation: str) -> ClientError:
    return failed("InternalServerError", operation, 500)


def failed(code: str, operation: str, http_status: int = 400) -> ClientError:
    """The failure of a call that AWS answered."""
    answer = {"Error": {"Code": code, "Message": "simulated"}, "ResponseMetadata": {"HTTPStatusCode": http_status}}
    return ClientError(cast("Any", answer), operation)


def no_answer() -> ReadTimeoutError:
    return ReadTimeoutError(endpoint_url="https://simulated.invalid")
