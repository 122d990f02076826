"""The simulated table treats the ledger's writes, and the edge cases of their grammar, like DynamoDB."""

import contextlib
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from unittest import mock

import hypothesis.strategies as st
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings

from song_intake.admission import budget_item
from song_intake.admission.budget_item import OTHERS, BudgetItem, BudgetLimits, ReservedCreate
from song_intake.contract.song_request import SongRequest
from song_intake.domain.outcome import Refused, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.ledger.claim import Claim
from song_intake.ledger.resolving import ResolutionStore
from song_intake.ledger.row import Row
from song_intake.ledger.submitting import SubmissionStore
from song_intake.ledger.table import Existing, LedgerTable, LedgerUnavailable, Written
from tests.local.cloud.cloud import Cloud
from tests.properties.simulation.dynamodb import ConditionalCheckFailedException, Exceptions, Table, Write
from tests.properties.simulation.expressions import Item, NotUnderstood

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "simulated-dynamodb"
OPERATIONS = (
    "claim",
    "submitted",
    "submitted_under_claim",
    "another_task",
    "retrying",
    "rejected",
    "in_doubt",
    "abandoned",
    "given_up",
    "expired",
    "cancelled",
)


class Twins:
    """A client that sends every write to both tables, and asserts that the results are equal."""

    exceptions = Exceptions

    def __init__(self, real: "DynamoDBClient") -> None:
        self._real = real
        self._simulated = Table()

    def update_item(self, **write: object) -> dict[str, object]:
        expected = self._write_real(write)
        simulated = self._write_simulated(write)
        assert simulated == expected, write
        if simulated is not None:
            raise ConditionalCheckFailedException(simulated)
        item = self._simulated_item(write)
        assert item == self._real_item(write), write
        return {"Attributes": item}

    def batch_execute_statement(self, *, Statements: list[dict[str, Any]]) -> dict[str, object]:  # noqa: N803
        real = self._real.batch_execute_statement(Statements=cast("Any", Statements))["Responses"]
        simulated = self._simulated.execute({"Statements": Statements})
        assert [_code_in(response) for response in simulated] == [_code_in(response) for response in real], Statements
        for request_id, item in self._simulated.items.items():
            assert _normal(item) == self._real_item({"Key": {"request_id": {"S": request_id}}}), Statements
        return {"Responses": simulated}

    def seed(self, item: Item) -> None:
        self._real.put_item(TableName=TABLE, Item=cast("Any", item))
        self._simulated.items[str(item["request_id"]["S"])] = dict(item)

    def _write_real(self, write: Write) -> Item | None:
        """The existing item, if the condition failed."""
        try:
            self._real.update_item(**cast("Any", write))
        except self._real.exceptions.ConditionalCheckFailedException as failed:
            return _normal(cast("Item", failed.response.get("Item", {})))
        return None

    def _write_simulated(self, write: Write) -> Item | None:
        try:
            self._simulated.update(write)
        except ConditionalCheckFailedException as failed:
            return _normal(failed.item)
        return None

    def _real_item(self, write: Write) -> Item:
        found = self._real.get_item(TableName=TABLE, Key=cast("Any", write["Key"]), ConsistentRead=True)
        return _normal(cast("Item", found["Item"]))

    def _simulated_item(self, write: Write) -> Item:
        key = cast("Item", write["Key"])
        return _normal(self._simulated.items[str(key["request_id"]["S"])])


def _code_in(response: Mapping[str, Any]) -> str | None:
    code: str | None = response.get("Error", {}).get("Code")
    return code


def _normal(item: Mapping[str, Mapping[str, object]]) -> Item:
    """DynamoDB may return a number in another notation, and a set in another order."""
    return {name: _normal_value(value) for name, value in item.items()}


def _normal_value(value: Mapping[str, object]) -> Mapping[str, object]:
    match value:
        case {"N": str(number)}:
            return {"N": Decimal(number)}
        case {"SS": list(members)}:
            return {"SS": sorted(members)}
        case _:
            return value


@pytest.fixture(scope="module")
def real(cloud: Cloud) -> "DynamoDBClient":
    client = cloud.client("dynamodb")
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "request_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "request_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def test_every_sequence_of_the_ledgers_writes_ends_in_the_same_item(real: "DynamoDBClient") -> None:
    operations = st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 1), st.integers(0, 2))

    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    @given(sequence=st.lists(operations, min_size=3, max_size=12))
    def holds(sequence: list[tuple[str, int, int]]) -> None:
        table = LedgerTable(cast("DynamoDBClient", Twins(real)), TABLE, keep_days=90)
        ledger = SubmissionStore(table, 75, lambda _: 900)
        _Sequence(ledger, uuid.uuid4().hex).run(sequence)

    holds()


def test_every_sequence_of_the_budgets_writes_ends_in_the_same_item(real: "DynamoDBClient") -> None:
    item = BudgetItem(cast("DynamoDBClient", Twins(real)), TABLE, BudgetLimits(stack=7, sender=3))
    reserved: list[ReservedCreate] = []
    with mock.patch.object(budget_item, "MOST_SENDERS", 2):
        for number in range(24):
            result = item.reserve("2026-07-01", "abcd"[number % 4], 1_800_000_000)
            if isinstance(result, ReservedCreate):
                reserved.append(result)
            if number % 3 == 0 and reserved:
                assert item.give_back(reserved.pop(0)) is None
    assert {one.name for one in reserved} <= {"a", "b", OTHERS}


class _Sequence:
    """Writes of several messages, with two songs and all their claims, to one row."""

    def __init__(self, ledger: SubmissionStore, request_id: str) -> None:
        self._ledger = ledger
        self._requests = [
            SongRequest.parse(f'{{"sound": "{sound}", "metadata": {{"a": "b"}}}}', request_id) for sound in "xy"
        ]
        self._claims = [Claim(request, "no-owner") for request in self._requests]
        self._row: Row | None = None

    def run(self, sequence: list[tuple[str, int, int]]) -> None:
        for operation, song, number in sequence:
            # Unavailable is what the ledger says of a write that needs a row where there is none.
            with contextlib.suppress(LedgerUnavailable):
                self._note(self._do(operation, self._requests[song], number))

    def _note(self, result: Claim | Written | Existing | None) -> None:
        if isinstance(result, Claim):
            self._claims.append(result)
        elif result is not None:
            self._row = result.row or self._row

    def _do(self, operation: str, request: SongRequest, number: int) -> Claim | Written | Existing | None:
        claim = self._claims[-1 - number % len(self._claims)]
        match operation:
            case "claim":
                return self._ledger.claim(request, f"message-{number}")
            case "submitted":
                return self._ledger.record_task(request, f"task-{number}")
            case "submitted_under_claim":
                return self._ledger.record_task(claim.request, f"task-{number}", claim)
            case "another_task":
                self._ledger.table.add_other_task(request.request_id, f"task-{number}")
                return None
            case "retrying":
                return self._ledger.record_retrying(
                    claim, Retryable(Reason.RATE_LIMITED, "simulated", 429, "rate_limited")
                )
            case "rejected":
                return self._ledger.record_rejected(claim, Refused(Reason.REFUSED, "simulated", 400))
            case "in_doubt":
                return self._ledger.record_in_doubt(claim, Unknown("simulated"))
            case "abandoned":
                if self._row is None:
                    return None
                return self._ledger._record_abandoned(self._row, window=0)
            case _:
                return self._close(operation, request, number)

    def _close(self, operation: str, request: SongRequest, number: int) -> Written | Existing:
        if operation == "cancelled":
            return ResolutionStore(self._ledger.table).record_cancelled(request.request_id, "ada", "simulated")
        reason = Reason.EXPIRED if operation == "expired" else Reason.RETRIES_EXHAUSTED
        return self._ledger.record_given_up(request, f"message-{number}", reason, "simulated")


@pytest.mark.parametrize(
    "condition",
    [
        "a = :one",
        "b = :one",
        "a <> :one",
        "absent <> :one",
        "absent = :one",
        "a IN (:two, :one)",
        "absent IN (:two, :one)",
        "attribute_exists(a) AND attribute_not_exists(absent)",
        "a = :one OR b = :one AND b = :two",
        "(a = :one OR b = :one) AND a = :two",
        "a = :two AND b = :one OR attribute_exists(b)",
        *(f"size({name}) < :{limit}" for name in ("tags", "copies", "absent") for limit in ("two_n", "three_n")),
        "n < :three_n",
        "n < :two_n",
        "absent < :two_n",
    ],
)
def test_a_condition_holds_in_both_or_in_neither(real: "DynamoDBClient", condition: str) -> None:
    twins, request_id = Twins(real), uuid.uuid4().hex
    sized: Item = {"tags": {"SS": ["x", "y"]}, "copies": {"L": [{"S": "x"}, {"S": "x"}]}, "n": {"N": "2"}}
    twins.seed({"request_id": {"S": request_id}, "a": {"S": "1"}, "b": {"S": "2"}, **sized})
    values: Item = {":one": {"S": "1"}, ":two": {"S": "2"}, ":two_n": {"N": "2"}, ":three_n": {"N": "3"}}
    with contextlib.suppress(ConditionalCheckFailedException):
        twins.update_item(**_write(request_id, "SET seen = :seen", condition, values))


@pytest.mark.parametrize(
    "update",
    [
        "SET a = :value, b = if_not_exists(a, :value), c = if_not_exists(absent, :value)",
        "SET a = :value REMOVE b, absent",
        "ADD n :number, m :number",
        "ADD tags :tags, more :tags REMOVE a",
        "REMOVE n SET b = :value ADD m :number",
    ],
)
def test_an_update_leaves_the_same_item_in_both(real: "DynamoDBClient", update: str) -> None:
    twins, request_id = Twins(real), uuid.uuid4().hex
    twins.seed(
        {"request_id": {"S": request_id}, "a": {"S": "1"}, "b": {"S": "2"}, "n": {"N": "3"}, "tags": {"SS": ["x"]}}
    )
    values: Item = {":value": {"S": "new"}, ":number": {"N": "2"}, ":tags": {"SS": ["x", "y"]}}
    twins.update_item(**_write(request_id, update, "attribute_exists(a)", values))


@pytest.mark.parametrize(
    ("update", "condition"),
    [
        ("SET a = :value", "a = :nowhere"),
        ("SET a = ", "attribute_exists(a)"),
        ("SET a = :value", "a ="),
        ("SET a = :value", "(attribute_exists(a)"),
        ("SET a = :value", "attribute_exists(a) attribute_exists(a)"),
    ],
)
def test_the_simulation_rejects_what_dynamodb_rejects(real: "DynamoDBClient", update: str, condition: str) -> None:
    write = _write("refused", update, condition, {":value": {"S": "1"}})
    with pytest.raises(ClientError, match="ValidationException"):
        real.update_item(**cast("Any", write))
    with pytest.raises((NotUnderstood, KeyError)):
        Table().update(write)


def test_an_unused_value_is_rejected() -> None:
    write = _write("refused", "SET a = :value", "attribute_exists(a)", {":value": {"S": "1"}})
    cast("dict[str, object]", write["ExpressionAttributeValues"])[":unused"] = {"S": "2"}
    with pytest.raises(NotUnderstood, match="unused"):
        Table().update(write)


def _write(request_id: str, update: str, condition: str, values: Item) -> dict[str, object]:
    """A write with only those values that the expressions use."""
    used = {name: value for name, value in values.items() if re.search(rf"{name}\b", f"{update} {condition}")}
    if ":seen" in update:
        used[":seen"] = {"S": "seen"}
    return {
        "TableName": TABLE,
        "Key": {"request_id": {"S": request_id}},
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeValues": used,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
