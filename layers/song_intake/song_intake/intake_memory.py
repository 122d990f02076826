"""Who switched the intake last, and why: one item of the ledger's table, under a key that no request can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from song_intake.aws_failure import AWS_FAILURES, code_of
from song_intake.intake_position import Position, Switched
from song_intake.ledger_table import LedgerUnavailable
from song_intake.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

# An id of a request has no "#" (song_request.schema.json).
KEY = "#intake"


class IntakeMemory:
    """It never expires: a pause may outlast any request."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def last(self) -> Switched | None:
        """How it was switched last; None: never. Raises LedgerUnavailable."""
        try:
            found = self._dynamodb.get_item(TableName=self._table, Key={"request_id": {"S": KEY}}, ConsistentRead=True)
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return _read(found["Item"]) if "Item" in found else None

    def keep(self, switched: Switched, instead_of: Switched | None) -> bool:
        """Whether it was kept: not if another was since the one that was seen. Raises LedgerUnavailable."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_written(switched),
                ConditionExpression="attribute_not_exists(request_id) OR switched_at = :seen",
                ExpressionAttributeValues={":seen": _at(instead_of) if instead_of else {"NULL": True}},
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return True


def _written(switched: Switched) -> dict[str, AttributeValueTypeDef]:
    return {
        "request_id": {"S": KEY},
        "position": {"S": switched.position},
        "switched_by": {"S": switched.by},
        "switched_at": _at(switched),
        "unexplained": {"N": str(switched.unexplained)},
        **({"reason": {"S": switched.reason}} if switched.reason else {}),
    }


def _read(item: Mapping[str, AttributeValueTypeDef]) -> Switched:
    return Switched(
        position=Position(item["position"]["S"]),
        by=item["switched_by"]["S"],
        at=float(item["switched_at"]["N"]),
        reason=Reason(item["reason"]["S"]) if "reason" in item else None,
        unexplained=int(item["unexplained"]["N"]),
    )


def _at(switched: Switched) -> AttributeValueTypeDef:
    return {"N": f"{switched.at:.6f}"}
