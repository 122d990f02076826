"""The ledger of resolving: an operator's word on a request in doubt, and the list of those that need one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from song_intake.aws_failure import AWS_FAILURES, code_of
from song_intake.ledger import PASSING
from song_intake.ledger_row import Row, Status
from song_intake.ledger_table import LedgerTable, LedgerUnavailable, Standing, Written
from song_intake.reason import Reason

if TYPE_CHECKING:
    from song_intake.ledger_table import Values

# Sparse: only rows in doubt have its key.
INDEX = "in-doubt"
MOST_LISTED = 1000


class Resolving:
    """Who said it, and when, stays on the row: `resolved_by`, and `updated_at` at that moment as `resolved_at`."""

    def __init__(self, table: LedgerTable) -> None:
        self._table = table

    def row(self, request_id: str) -> Row | None:
        """The row as it stands. Raises LedgerUnavailable."""
        try:
            found = self._table.dynamodb.get_item(
                TableName=self._table.name, Key={"request_id": {"S": request_id}}, ConsistentRead=True
            )
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        # What has no fingerprint is no request: the states of the pace and of the intake lie in this table too.
        return Row.of(found["Item"]) if "fingerprint" in found.get("Item", {}) else None

    def in_doubt(self) -> list[Row]:
        """The requests in doubt, oldest first, up to a thousand. Raises LedgerUnavailable."""
        try:
            return [Row.of(item) for item in self._items()]
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None

    def _items(self) -> Iterator[Values]:
        pages = self._table.dynamodb.get_paginator("query").paginate(
            TableName=self._table.name,
            IndexName=INDEX,
            KeyConditionExpression="doubt = :in_doubt",
            ExpressionAttributeValues={":in_doubt": {"S": Status.IN_DOUBT}},
            PaginationConfig={"MaxItems": MOST_LISTED},
        )
        for page in pages:
            yield from page["Items"]

    def task_given(self, row: Row, task_id: str, by: str) -> Written | Standing:
        """IN_DOUBT, or SUBMITTING with its lease over --> SUBMITTED."""
        return self._resolve(
            row,
            by,
            set_="#status = :submitted, task_id = :task_id, unannounced = :unannounced",
            values={
                ":submitted": {"S": Status.SUBMITTED},
                ":task_id": {"S": task_id},
                ":unannounced": {"BOOL": True},
            },
        )

    def not_created(self, row: Row, by: str, detail: str) -> Written | Standing:
        """The same --> REJECTED: any message of this request, the first one redriven among them, may claim it again."""
        return self._resolve(
            row,
            by,
            set_="#status = :rejected, reason = :reason, detail = :detail, message_id = :nobody",
            values={
                ":rejected": {"S": Status.REJECTED},
                ":reason": {"S": Reason.NOT_CREATED},
                ":detail": {"S": detail},
                ":nobody": {"S": "-"},
            },
        )

    def _resolve(self, row: Row, by: str, set_: str, values: Values) -> Written | Standing:
        """The condition holds on to the row that the operator was shown: what was settled since then stays settled."""
        kept = ("reason", "detail")
        passing = [name for name in PASSING.split(", ") if not (name in kept and f"{name} =" in set_)]
        return self._table.write(
            row.request_id,
            set_=f"{set_}, resolved_by = :by, resolved_at = :at",
            remove=", ".join(passing),
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
