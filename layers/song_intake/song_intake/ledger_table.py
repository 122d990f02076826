"""The ledger's table: one conditional UpdateItem, and what its failing means.

A condition that fails brings the row as it stands (ALL_OLD), so there is no second read, and no moment between looking
and writing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from song_intake.aws_failure import AWS_FAILURES, code_of
from song_intake.ledger_row import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemInputTypeDef

    Values = dict[str, AttributeValueTypeDef]

_SECONDS_A_DAY = 86_400

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
_RESERVED = ("status", "owner")


class LedgerUnavailable(Exception):
    """DynamoDB did not say that the write was done. It may have been."""


@dataclass(frozen=True, slots=True)
class Written:
    """The write was done; the row as it is now."""

    row: Row


@dataclass(frozen=True, slots=True)
class Standing:
    """The condition failed; the row that stands in the way, or None where there is no row."""

    row: Row | None


class LedgerTable:
    """Safe to share between threads.

    keep_days: days that a row is kept after its last change. A row that expired while its message can still come back
    would be a second create.
    """

    def __init__(self, dynamodb: DynamoDBClient, name: str, keep_days: int) -> None:
        self.dynamodb = dynamodb
        self.name = name
        self._keep = keep_days * _SECONDS_A_DAY

    def stamps(self) -> tuple[AttributeValueTypeDef, AttributeValueTypeDef]:
        """When a row is changed, and when it is forgotten after that change: updated_at, expires_at."""
        now = time.time()
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        return {"S": at}, {"N": str(int(now + self._keep))}

    def another_task(self, request_id: str, task_id: str) -> None:
        """Keep a second task of one request beside the first. Only a wrong word of an operator can bring one about."""
        self.write(
            request_id,
            add="other_task_ids :task_ids",
            condition="attribute_exists(request_id)",
            values={":task_ids": {"SS": [task_id]}},
        )

    def write(
        self, request_id: str, *, condition: str, values: Values, set_: str = "", remove: str = "", add: str = ""
    ) -> Written | Standing:
        """Change one row if the condition holds. Raises LedgerUnavailable."""
        at, expires_at = self.stamps()
        stamps = "created_at = if_not_exists(created_at, :at), updated_at = :at, expires_at = :expires_at"
        change = f"SET {set_ + ', ' if set_ else ''}{stamps}"
        change += f" REMOVE {remove}" if remove else ""
        change += f" ADD {add}" if add else ""
        write: UpdateItemInputTypeDef = {
            "TableName": self.name,
            "Key": {"request_id": {"S": request_id}},
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {
                ":at": at,
                ":expires_at": expires_at,
                **values,
            },
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        names = {f"#{name}": name for name in _RESERVED if f"#{name}" in change + condition}
        if names:
            write["ExpressionAttributeNames"] = names
        try:
            done = self.dynamodb.update_item(**write)
        except self.dynamodb.exceptions.ConditionalCheckFailedException as failed:
            # The stubs do not know of the item, which comes beside "Error".
            item = cast("Mapping[str, AttributeValueTypeDef] | None", failed.response.get("Item"))
            return Standing(Row.of(item) if item else None)
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return Written(Row.of(done["Attributes"]))
