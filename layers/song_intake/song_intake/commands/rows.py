"""Rows of requests as operators read them: the published attributes only, since a row also holds task tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeDeserializer

from song_intake.commands.options import shown_moment
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.domain.status import FINAL, Status
from song_intake.ledger.resolving import INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    ReadRow = dict[str, Any]

ENDED: Final = frozenset((*FINAL, Status.REJECTED))
"""The statuses after which nothing more happens without a person's decision."""

PUBLISHED: Final = (
    "request_id",
    "status",
    "task_id",
    "other_task_ids",
    "reason",
    "detail",
    "http_status",
    "vendor_code",
    "refunded",
    "clips",
    "recordings",
    "metadata",
    "attempt",
    "message_id",
    "first_message_id",
    "trace_id",
    "named_by",
    "resolved_by",
    "created_at",
    "updated_at",
    "expires_at",
)
"""The attributes of events/schemas/request_row.schema.json. The policy of operators allows no other."""

_PROJECTION: Final[Any] = {
    "ProjectionExpression": ", ".join(f"#{name}" for name in PUBLISHED),
    "ExpressionAttributeNames": {f"#{name}": name for name in PUBLISHED},
}


@frozen
class RowFilter:
    """Which requests are listed. None: any. since: seconds since 1970, of the last change."""

    status: Status | None = None
    since: float | None = None
    reason: Reason | None = None

    def has(self, row: ReadRow) -> bool:
        """Whether the row is listed. Items without a status are no requests: those of the pace and of the intake."""
        return (
            "status" in row
            and self.status in (None, row["status"])
            and self.reason in (None, row.get("reason"))
            and (self.since is None or _seconds(row) >= self.since)
        )


def row_of(dynamodb: DynamoDBClient, table: str, request_id: str) -> ReadRow | None:
    """The row of this request; None if there is none. Raises AWS_FAILURES."""
    key: dict[str, AttributeValueTypeDef] = {"request_id": {"S": request_id}}
    found = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True, **_PROJECTION)
    return _plain(found["Item"]) if "Item" in found else None


def rows_in_doubt(dynamodb: DynamoDBClient, table: str) -> Iterator[ReadRow]:
    """The requests in doubt, by the sparse index, oldest first. Raises AWS_FAILURES."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        IndexName=INDEX,
        Select="SPECIFIC_ATTRIBUTES",
        KeyConditionExpression="#doubt = :in_doubt",
        ExpressionAttributeValues={":in_doubt": {"S": Status.IN_DOUBT}},
        ProjectionExpression=_PROJECTION["ProjectionExpression"],
        ExpressionAttributeNames={**_PROJECTION["ExpressionAttributeNames"], "#doubt": "doubt"},
    )
    return (_plain(item) for page in pages for item in page["Items"])


def all_rows(dynamodb: DynamoDBClient, table: str) -> Iterator[ReadRow]:
    """Every item of the table, in no order, page by page. Raises AWS_FAILURES."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, Select="SPECIFIC_ATTRIBUTES", **_PROJECTION)
    return (_plain(item) for page in pages for item in page["Items"])


def row_line(row: ReadRow) -> str:
    """One request in one line."""
    line = f"{row['status']:<10}  {shown_moment(_seconds(row))}  {row['request_id']}"
    return f"{line}  {row['reason']}" if "reason" in row else line


def detail_lines(row: ReadRow) -> Iterator[str]:
    """What else the operator of one request reads of it."""
    for name in ("task_id", "detail", "vendor_code", "trace_id", "resolved_by"):
        if name in row:
            yield f"  {name}: {row[name]}"
    for clip in row.get("clips", ()):
        yield f"  clip {clip['clip_id']}: {clip.get('audio_url', 'no audio_url')}"
    for copy in row.get("recordings", ()):
        yield f"  recording {copy.get('clip_id')}: s3://{copy.get('bucket')}/{copy.get('key')}"


def _seconds(row: ReadRow) -> float:
    return datetime.fromisoformat(row["updated_at"]).timestamp() if "updated_at" in row else 0.0


def _plain(item: Mapping[str, Any]) -> ReadRow:
    """The values of an item as JSON has them. Times are RFC 3339 in UTC."""
    decode = TypeDeserializer().deserialize
    row = {name: _as_json(decode(value)) for name, value in item.items()}
    for name in ("created_at", "updated_at"):
        if name in row:
            at = datetime.fromisoformat(row[name]).astimezone(UTC)
            row[name] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return row


def _as_json(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case set():
            return sorted(_as_json(one) for one in value)
        case list():
            return [_as_json(one) for one in value]
        case dict():
            return {name: _as_json(one) for name, one in value.items()}
    return value
