"""A DynamoDB table with one item."""

from tests.properties.simulation.dynamodb import ConditionalCheckFailedException, Exceptions
from tests.properties.simulation.expressions import Item, Placeholders, holds


class OneItem:
    """The DynamoDB client of the intake state."""

    exceptions = Exceptions

    def __init__(self) -> None:
        self._item: Item | None = None

    def get_item(self, **_: object) -> dict[str, object]:
        return {"Item": self._item} if self._item else {}

    def put_item(self, *, Item: Item, ConditionExpression: str, ExpressionAttributeValues: Item, **_: object) -> None:  # noqa: N803
        if not holds(ConditionExpression, Placeholders({}, ExpressionAttributeValues), self._item or {}):
            raise ConditionalCheckFailedException(self._item)
        self._item = Item
