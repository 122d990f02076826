"""The state of the intake: one item of the ledger's table, under a key that no request can have."""

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

# An id of a request has no "#" (song_request.schema.json).
INTAKE_KEY = "#intake"


class IntakeStateStore:
    """The item never expires: a pause may outlast any request. Every method raises LedgerUnavailable."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def last(self) -> IntakeChange | None:
        """The last change; None if there was none yet."""
        try:
            found = self._dynamodb.get_item(
                TableName=self._table, Key={"request_id": {"S": INTAKE_KEY}}, ConsistentRead=True
            )
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return _change_in(found["Item"]) if "Item" in found else None

    def save(self, change: IntakeChange, instead_of: IntakeChange | None) -> bool:
        """Whether the change was saved: not if another one was saved since `instead_of` was read."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_item_of(change),
                ConditionExpression="attribute_not_exists(request_id) OR switched_at = :seen",
                ExpressionAttributeValues={":seen": _number(instead_of.at) if instead_of else {"NULL": True}},
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
        "switched_at": _number(change.at),
        "in_a_row": {"N": str(change.in_a_row)},
        "is_seen": {"BOOL": change.is_seen},
        "is_reached": {"BOOL": change.is_reached},
        **({"reason": {"S": change.reason}} if change.reason else {}),
        **({"fault_until": _number(change.until)} if change.until is not None else {}),
    }


def _change_in(item: Mapping[str, AttributeValueTypeDef]) -> IntakeChange:
    """Members that an earlier release did not write are read as their defaults: a pause survives a deployment."""
    return IntakeChange(
        state=IntakeState(item["position"]["S"]),
        by=item["switched_by"]["S"],
        at=float(item["switched_at"]["N"]),
        reason=_reason_in(item),
        in_a_row=int(item.get("in_a_row", item.get("unexplained", {})).get("N", "0")),
        is_seen=item.get("is_seen", {}).get("BOOL", False),
        is_reached=item.get("is_reached", {}).get("BOOL", True),
        until=float(item["fault_until"]["N"]) if "fault_until" in item else None,
    )


def _reason_in(item: Mapping[str, AttributeValueTypeDef]) -> Reason | None:
    """A reason of another release is no reason to fail."""
    text = item["reason"]["S"] if "reason" in item else None
    return Reason(text) if text in tuple(Reason) else None


def _number(moment: float) -> AttributeValueTypeDef:
    return {"N": f"{moment:.6f}"}
