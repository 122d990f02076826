"""The ledger's table: one conditional UpdateItem, and what its failing means.

A condition that fails brings the row as it stands (ALL_OLD), so there is no second read, and no moment between looking
and writing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from song_intake.aws_failure import AWS_FAILURES, code_of
from song_intake.ledger_row import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemInputTypeDef

    Values = dict[str, AttributeValueTypeDef]

_SECONDS_A_DAY = 86_400


class LedgerUnavailable(Exception):
    """DynamoDB did not say that the write was done. It may have been."""


class LedgerTable:
    """Safe to share between threads.

    keep_days: days that a row is kept after its last change. A row that expired while its message can still come back
    would be a second create.
    """

    def __init__(self, dynamodb: DynamoDBClient, name: str, keep_days: int) -> None:
        self._dynamodb = dynamodb
        self._name = name
        self._keep = keep_days * _SECONDS_A_DAY

    def write(
        self, request_id: str, *, condition: str, values: Values, set_: str = "", remove: str = "", add: str = ""
    ) -> Row | None:
        """One conditional write: None when done, the row as it stands when the condition failed.

        Raises LedgerUnavailable.
        """
        now = time.time()
        stamps = "created_at = if_not_exists(created_at, :at), updated_at = :at, expires_at = :expires_at"
        change = f"SET {set_ + ', ' if set_ else ''}{stamps}"
        change += f" REMOVE {remove}" if remove else ""
        change += f" ADD {add}" if add else ""
        write: UpdateItemInputTypeDef = {
            "TableName": self._name,
            "Key": {"request_id": {"S": request_id}},
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {
                ":at": {"S": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")},
                ":expires_at": {"N": str(int(now + self._keep))},
                **values,
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        names = {f"#{name}": name for name in ("status", "owner") if f"#{name}" in change + condition}  # reserved words
        if names:
            write["ExpressionAttributeNames"] = names
        try:
            self._dynamodb.update_item(**write)
        except self._dynamodb.exceptions.ConditionalCheckFailedException as failed:
            # The stubs do not know of the item, which comes beside "Error".
            return _standing(cast("Mapping[str, AttributeValueTypeDef] | None", failed.response.get("Item")))
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return None


def _standing(item: Mapping[str, AttributeValueTypeDef] | None) -> Row:
    if item is None:
        raise LedgerUnavailable("the row is gone")
    return Row.of(item)
