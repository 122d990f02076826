"""The last change of the intake: one item of the ledger's table, under a key that cannot be a request's id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from song_intake.admission.switch_rules import IntakeChange, IntakeState
from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.domain.reason import Reason
from song_intake.ledger.table import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

# A request_id has no "#" (song_request.schema.json).
INTAKE_KEY = "#intake"


class IntakeStateStore:
    """Reads and writes the item. The item never expires: a pause may outlast any request."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def last(self) -> IntakeChange | None:
        """The last change; None if the intake was never switched. Raises LedgerUnavailable."""
        try:
            found = self._dynamodb.get_item(
                TableName=self._table, Key={"request_id": {"S": INTAKE_KEY}}, ConsistentRead=True
            )
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return _change_in(found["Item"]) if "Item" in found else None

    def save(self, change: IntakeChange, instead_of: IntakeChange | None) -> bool:
        """Save a change, unless another one was saved after `instead_of`. Returns whether it was saved.

        Raises LedgerUnavailable.
        """
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_item_of(change),
                ConditionExpression="attribute_not_exists(request_id) OR switched_at = :last",
                ExpressionAttributeValues={":last": _at(instead_of) if instead_of else {"NULL": True}},
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return True


def _item_of(change: IntakeChange) -> dict[str, AttributeValueTypeDef]:
    return {
        "request_id": {"S": INTAKE_KEY},
        "position": {"S": change.state},
        "switched_by": {"S": change.by},
        "switched_at": _at(change),
        "unexplained": {"N": str(change.unexplained)},
        **({"reason": {"S": change.reason}} if change.reason else {}),
    }


def _change_in(item: Mapping[str, AttributeValueTypeDef]) -> IntakeChange:
    return IntakeChange(
        state=IntakeState(item["position"]["S"]),
        by=item["switched_by"]["S"],
        at=float(item["switched_at"]["N"]),
        reason=Reason(item["reason"]["S"]) if "reason" in item else None,
        unexplained=int(item["unexplained"]["N"]),
    )


def _at(change: IntakeChange) -> AttributeValueTypeDef:
    return {"N": f"{change.at:.6f}"}
