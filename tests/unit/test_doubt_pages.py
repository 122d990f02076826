"""The list of requests in doubt is read to its end, although DynamoDB ends a page after 1 MB.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html (LastEvaluatedKey)
"""

from typing import TYPE_CHECKING, Any, cast

from song_intake.ledger.resolving import ResolutionStore
from song_intake.ledger.table import LedgerTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

IDS = ["a", "b", "c", "d", "e"]


class ShortPages:
    """A DynamoDB client whose pages end after two items, whatever the limit."""

    def query(self, **request: Any) -> dict[str, Any]:
        start = request.get("ExclusiveStartKey")
        first = IDS.index(start["request_id"]["S"]) + 1 if start else 0
        items = [_item(request_id) for request_id in IDS[first : first + 2]]
        is_last = first + 2 >= len(IDS)
        return {"Items": items} if is_last else {"Items": items, "LastEvaluatedKey": _key(IDS[first + 1])}


def _key(request_id: str) -> dict[str, dict[str, str]]:
    return {"doubt": {"S": "IN_DOUBT"}, "updated_at": {"S": "2026-01-01T00:00:00Z"}, "request_id": {"S": request_id}}


def _item(request_id: str) -> dict[str, dict[str, str]]:
    return {**_key(request_id), "status": {"S": "IN_DOUBT"}, "fingerprint": {"S": "f"}}


def test_short_pages_are_joined_to_one_list() -> None:
    store = ResolutionStore(LedgerTable(cast("DynamoDBClient", ShortPages()), "ledger", 90))
    page = store.in_doubt()
    assert [row.request_id for row in page.rows] == IDS
    assert page.next is None
