"""The two ways to write to the ledger's table: one row at a time, and several rows in one call.

LedgerTable      one conditional UpdateItem. A failed condition returns the row (ALL_OLD), so there is no second read,
                 and no gap between read and write.
LedgerBatches    the usual path: first claims, and the tasks of these claims. Each statement has its own condition and
                 its own result. A refused statement decides nothing, because a single write follows. So a statement
                 need only be right if it succeeds: for a new row, and for a claim that its owner still holds.
                 https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html

Ten requests need twenty single writes, 74 % of the CPU of a batch; with LedgerBatches they need two to four calls.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.aws.group_commit import GroupCommit
from song_intake.domain.frozen import frozen
from song_intake.domain.status import Status
from song_intake.ledger.row import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        BatchStatementRequestTypeDef,
        UpdateItemInputTypeDef,
    )

    from song_intake.ledger.row import Values

_SECONDS_A_DAY = 86_400

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
_RESERVED = ("status", "owner")

MOST_OTHER_TASKS = 10

# The limit of BatchExecuteStatement.
MOST_STATEMENTS = 25


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
            "UpdateExpression": change,
            "ConditionExpression": condition,
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


@frozen
class _Statement:
    request_id: str
    text: str
    parameters: Sequence[AttributeValueTypeDef] = field(repr=False)


class LedgerBatches:
    """Safe to share between threads. Both methods raise LedgerUnavailable if DynamoDB did not answer."""

    def __init__(self, table: LedgerTable) -> None:
        self._table = table
        self._group = GroupCommit(self._execute, MOST_STATEMENTS)

    def insert(self, request_id: str, values: Values) -> bool:
        """Create the row of a claim. False if there is a row already, or if the result is not known."""
        return self._group.submit(self._insertion(request_id, values))

    def _insertion(self, request_id: str, values: Values) -> _Statement:
        # A claim does not expire.
        at, _ = self._table.stamps()
        stamps: Values = {"created_at": at, "updated_at": at}
        item: Values = {"request_id": {"S": request_id}, **values, **stamps}
        # The text has only names of attributes; every value from a request is a parameter.
        fields = ", ".join(f"'{name}': ?" for name in item)
        text = f'INSERT INTO "{self._table.name}" VALUE {{{fields}}}'
        return _Statement(request_id, text, list(item.values()))

    def record_task(self, request_id: str, owner: str, task_id: str) -> bool:
        """SUBMITTING -> SUBMITTED, for a row's first claim. False if it has another owner, or the result is unknown.

        The lease is the only transient attribute that such a row has.
        """
        at, expires_at = self._table.stamps()
        changes: Values = {
            "status": {"S": Status.SUBMITTED},
            "task_id": {"S": task_id},
            "updated_at": at,
            "expires_at": expires_at,
        }
        where: Values = {"request_id": {"S": request_id}, "owner": {"S": owner}, "status": {"S": Status.SUBMITTING}}
        text = (
            f'UPDATE "{self._table.name}"'  # noqa: S608 - as above
            + "".join(f' SET "{name}" = ?' for name in changes)
            + " REMOVE lease_until WHERE "
            + " AND ".join(f'"{name}" = ?' for name in where)
        )
        return self._group.submit(_Statement(request_id, text, [*changes.values(), *where.values()]))

    def _execute(self, statements: Sequence[_Statement]) -> list[bool]:
        # AWS does not document two statements on one item in a batch: the second one becomes a single write.
        firsts = {statement.request_id: statement for statement in reversed(statements)}
        requests: list[BatchStatementRequestTypeDef] = [
            {"Statement": statement.text, "Parameters": statement.parameters} for statement in firsts.values()
        ]
        try:
            responses = self._table.dynamodb.batch_execute_statement(Statements=requests)["Responses"]
        except ClientError:
            # The whole call was refused, perhaps because of one statement. Single writes follow, one result for each.
            return [False] * len(statements)
        except BotoCoreError as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        done = {id(one): "Error" not in response for one, response in zip(firsts.values(), responses, strict=True)}
        return [done.get(id(statement), False) for statement in statements]
