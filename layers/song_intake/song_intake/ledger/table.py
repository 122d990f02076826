"""Writes to the ledger's table, one row at a time: each is one conditional UpdateItem.

A failed condition returns the row (ALL_OLD), so there is no second read, and no gap between read and write.
batches.py writes several rows in one call.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.domain.frozen import frozen
from song_intake.ledger.row import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        UpdateItemInputTypeDef,
    )

    from song_intake.ledger.row import Values

_SECONDS_A_DAY = 86_400

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
_RESERVED = ("status", "owner")

MOST_OTHER_TASKS = 10


class LedgerUnavailable(Exception):
    """DynamoDB did not answer, or refused the call. A write may have been made nevertheless."""


@frozen
class Written:
    """The write was made. `row`: the row after it; None if several rows were written in one call."""

    row: Row | None = None


@frozen
class Existing:
    """The condition failed. `row`: the row that exists instead; None if there is no row."""

    row: Row | None


def row_in(result: Written | Existing) -> Row:
    """The row of a result that has one. Raises LedgerUnavailable if the row is gone."""
    if result.row is None:
        raise LedgerUnavailable("the row is gone")
    return result.row


class LedgerTable:
    """Safe to share between threads.

    keep_days: days that a settled row is kept after its last change, or after a message of its request last met it. If
    a row expired while such a message could still be delivered, the song would be created a second time.
    """

    def __init__(self, dynamodb: DynamoDBClient, name: str, keep_days: int) -> None:
        self.dynamodb = dynamodb
        self.name = name
        self._keep = keep_days * _SECONDS_A_DAY

    def stamps(self) -> tuple[AttributeValueTypeDef, AttributeValueTypeDef]:
        """The values of updated_at and expires_at for a change that is made now."""
        now = time.time()
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        return {"S": at}, {"N": str(int(now + self._keep))}

    def add_other_task(self, request_id: str, task_id: str) -> None:
        """Record a second task of one request. Only a mistaken manual resolution can cause one.

        Raises LedgerUnavailable. A row keeps the first MOST_OTHER_TASKS: one that reaches DynamoDB's limit of 400 KB
        could not change any more.
        """
        self.annotate(
            request_id,
            "ADD other_task_ids :task_ids",
            condition="attribute_exists(request_id) "
            "AND (attribute_not_exists(other_task_ids) OR size(other_task_ids) < :most)",
            values={":task_ids": {"SS": [task_id]}, ":most": {"N": str(MOST_OTHER_TASKS)}},
        )

    def write(
        self,
        request_id: str,
        *,
        condition: str,
        values: Values,
        set_: str,
        remove: str = "",
        add: str = "",
        expires: bool = True,
    ) -> Written | Existing:
        """Change the status of one row if the condition holds. Raises LedgerUnavailable.

        expires: False for a status in which a song may exist that the row does not name: such a row never expires.
        """
        at, expires_at = self.stamps()
        stamps = "created_at = if_not_exists(created_at, :at), updated_at = :at"
        stamps += ", expires_at = :expires_at" if expires else ""
        removed = ", ".join(filter(None, (remove, "" if expires else "expires_at")))
        change = f"SET {set_}, {stamps}"
        change += f" REMOVE {removed}" if removed else ""
        change += f" ADD {add}" if add else ""
        stamped: Values = {":at": at, ":expires_at": expires_at} if expires else {":at": at}
        return self.annotate(request_id, change, condition=condition, values={**values, **stamped})

    def row(self, request_id: str) -> Row | None:
        """The row of this request; None if there is none. Raises LedgerUnavailable."""
        try:
            found = self.dynamodb.get_item(
                TableName=self.name, Key={"request_id": {"S": request_id}}, ConsistentRead=True
            )
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        # An item without a status is not a request: the table also has the states of the pace, budget and intake.
        return Row.of(found["Item"]) if "status" in found.get("Item", {}) else None

    def renew(self, row: Row) -> None:
        """Keep a row that a message of its request has met, so that it outlives that message.

        At most one write a day and row. Raises LedgerUnavailable.
        """
        if row.expires_at is not None and row.expires_at < time.time() + self._keep - _SECONDS_A_DAY:
            self.keep(row.request_id)

    def keep(self, request_id: str) -> None:
        """Keep the row of a request whose message waits on, if there is such a row. Raises LedgerUnavailable."""
        _, expires_at = self.stamps()
        self.annotate(
            request_id,
            "SET expires_at = :expires_at",
            # A row that was claimed meanwhile does not expire.
            condition="attribute_exists(expires_at)",
            values={":expires_at": expires_at},
        )

    def annotate(self, request_id: str, change: str, *, condition: str, values: Values) -> Written | Existing:
        """Change one row, but not the time of its last change. `change`: an update expression.

        Raises LedgerUnavailable.
        """
        write: UpdateItemInputTypeDef = {
            "TableName": self.name,
            "Key": {"request_id": {"S": request_id}},
            "UpdateExpression": _in_one_line(change),
            "ConditionExpression": _in_one_line(condition),
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        names = {f"#{name}": name for name in _RESERVED if f"#{name}" in change + condition}
        if names:
            write["ExpressionAttributeNames"] = names
        try:
            done = self.dynamodb.update_item(**write)
        except self.dynamodb.exceptions.ConditionalCheckFailedException as failed:
            # The stubs lack `Item`, which is next to "Error" in the response.
            item = cast("Mapping[str, AttributeValueTypeDef] | None", failed.response.get("Item"))
            return Existing(Row.of(item) if item else None)
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return Written(Row.of(done["Attributes"]))


def _in_one_line(expression: str) -> str:
    """AWS does not document line breaks in expressions. moto does not parse a condition that has one."""
    return " ".join(expression.split())
