"""The ledger for operators: records a decision on a request, and lists those in doubt."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.domain.frozen import frozen
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.ledger.notified import mark_notified
from song_intake.ledger.row import TRANSIENT_ATTRIBUTES, Row
from song_intake.ledger.table import Existing, LedgerTable, LedgerUnavailable, Written

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef, QueryOutputTypeDef, ScanInputTypeDef

    from song_intake.ledger.notified import Notified
    from song_intake.ledger.row import Values

# A sparse index (template.yaml): only rows in doubt have its key.
INDEX = "in-doubt"
# Our choice: a response of Lambda holds at most 6 MB, and no operator reads a longer list.
MOST_LISTED = 1000

# Parts of the table that are searched at the same time: a million rows are some 1,000 pages, of some 20 ms each.
SEGMENTS = 8

PAGE_KEY = ("updated_at", "request_id")
"""The names in a page's `next`: with `doubt`, which is the same for all, they are the key of a row in the index."""


@frozen
class DoubtPage:
    """A part of the list of requests in doubt."""

    rows: list[Row]
    next: dict[str, str] | None
    """Where the next page starts; None at the end of the list."""


class ResolutionStore:
    """Records who decided and when: `resolved_by` and `resolved_at`. All methods raise LedgerUnavailable."""

    def __init__(self, table: LedgerTable) -> None:
        self._table = table

    def row(self, request_id: str) -> Row | None:
        """The row of this request; None if there is none."""
        return self._table.row(request_id)

    def in_doubt(self, start: Mapping[str, str] | None = None) -> DoubtPage:
        """The requests in doubt, oldest first, at most MOST_LISTED, after the page whose `next` is `start`."""
        rows: list[Row] = []
        try:
            while True:
                answer = self._query(MOST_LISTED - len(rows), start)
                rows += [Row.of(item) for item in answer["Items"]]
                last = answer.get("LastEvaluatedKey")
                start = {name: last[name]["S"] for name in PAGE_KEY} if last else None
                if start is None or len(rows) >= MOST_LISTED:
                    return DoubtPage(rows, start)
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None

    def _query(self, limit: int, start: Mapping[str, str] | None) -> QueryOutputTypeDef:
        doubt: Values = {"doubt": {"S": Status.IN_DOUBT}}
        after: Values = {name: {"S": start[name]} for name in PAGE_KEY} if start else {}
        query: QueryInputTypeDef = {
            "TableName": self._table.name,
            "IndexName": INDEX,
            "KeyConditionExpression": "doubt = :in_doubt",
            "ExpressionAttributeValues": {":in_doubt": {"S": Status.IN_DOUBT}},
            "Limit": limit,
        }
        if after:
            query["ExclusiveStartKey"] = {**doubt, **after}
        return self._table.dynamodb.query(**query)

    def requests_of_task(self, task_id: str) -> list[str]:
        """The ids of the requests whose rows name this task.

        Reads the whole table: an index by task would cost a write for every song, and an operator asks rarely.
        """
        try:
            with ThreadPoolExecutor(SEGMENTS) as pool:
                parts = pool.map(lambda segment: self._search(task_id, segment), range(SEGMENTS))
                return [request_id for part in parts for request_id in part]
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None

    def _search(self, task_id: str, segment: int) -> list[str]:
        search: ScanInputTypeDef = {
            "TableName": self._table.name,
            "ProjectionExpression": "request_id",
            "FilterExpression": "task_id = :task_id OR contains(other_task_ids, :task_id)",
            "ExpressionAttributeValues": {":task_id": {"S": task_id}},
            "Segment": segment,
            "TotalSegments": SEGMENTS,
        }
        found: list[str] = []
        while True:
            answer = self._table.dynamodb.scan(**search)
            found += [item["request_id"]["S"] for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return found
            search["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def record_task(self, row: Row, task_id: str, by: str) -> Written | Existing:
        """IN_DOUBT, or SUBMITTING with an expired lease -> SUBMITTED. `by`: the operator."""
        return self._resolve(
            row,
            by,
            set_="#status = :submitted, task_id = :task_id, submission_unpublished = :yes, named_by = :by",
            values={":submitted": {"S": Status.SUBMITTED}, ":task_id": {"S": task_id}, ":yes": {"BOOL": True}},
        )

    def replace_task(self, row: Row, task_id: str, by: str) -> Written | Existing:
        """SUBMITTED -> SUBMITTED, with another task than the one that an operator named before."""
        return self._table.write(
            row.request_id,
            set_="""task_id = :task_id, submission_unpublished = :yes, named_by = :by,
                resolved_by = :by, resolved_at = :at""",
            remove="reason, detail",
            condition="#status = :submitted AND task_id = :seen AND attribute_exists(named_by)",
            values={
                ":submitted": {"S": Status.SUBMITTED},
                ":task_id": {"S": task_id},
                ":seen": {"S": row.task_id or ""},
                ":yes": {"BOOL": True},
                ":by": {"S": by},
            },
        )

    def record_not_created(self, row: Row, by: str, detail: str) -> Written | Existing:
        """IN_DOUBT, or SUBMITTING with an expired lease -> REJECTED. Any message of the request may then claim it."""
        return self._resolve(
            row,
            by,
            set_="#status = :rejected, reason = :reason, detail = :detail, message_id = :none",
            values={
                ":rejected": {"S": Status.REJECTED},
                ":reason": {"S": Reason.NOT_CREATED},
                ":detail": {"S": detail},
                ":none": {"S": "-"},
            },
        )

    def record_cancelled(self, request_id: str, by: str, detail: str) -> Written | Existing:
        """(none) | RETRYING | REJECTED -> REJECTED, for good. Existing: cancelled before, or a song may exist.

        A row that did not exist has no fingerprint, so no message's request is that of the row.
        """
        return self._table.write(
            request_id,
            set_="#status = :rejected, reason = :cancelled, detail = :detail, resolved_by = :by, resolved_at = :at",
            remove=_transient_but("reason", "detail"),
            condition="""attribute_not_exists(request_id) OR #status = :retrying
                OR (#status = :rejected AND reason <> :cancelled)""",
            values={
                ":rejected": {"S": Status.REJECTED},
                ":retrying": {"S": Status.RETRYING},
                ":cancelled": {"S": Reason.CANCELLED},
                ":detail": {"S": detail},
                ":by": {"S": by},
            },
        )

    def mark_notified(self, row: Row, done: Notified) -> None:
        """See notified.mark_notified."""
        mark_notified(self._table, row, done)

    def _resolve(self, row: Row, by: str, set_: str, values: Values) -> Written | Existing:
        """The condition requires the status that was shown to the operator: a request settled since stays settled."""
        kept = [name for name in ("reason", "detail") if f"{name} =" in set_]
        return self._table.write(
            row.request_id,
            set_=f"{set_}, resolved_by = :by, resolved_at = :at",
            remove=_transient_but(*kept),
            condition="""#status = :seen AND attribute_not_exists(task_id)
                AND (#status = :in_doubt OR lease_until < :now)""",
            values={
                ":seen": {"S": row.status},
                ":in_doubt": {"S": Status.IN_DOUBT},
                ":now": {"N": f"{time.time():.3f}"},
                ":by": {"S": by},
                **values,
            },
        )


def _transient_but(*kept: str) -> str:
    return ", ".join(name for name in TRANSIENT_ATTRIBUTES.split(", ") if name not in kept)
