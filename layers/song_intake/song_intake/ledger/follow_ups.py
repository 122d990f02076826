"""Which steps that follow the decision about a message are done, for messages of which another step failed.

A message may have no row, or the row of another request, so the steps are in an item of the message's own. A message
whose steps all succeed at once has none.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from song_intake.aws.failure import AWS_FAILURES
from song_intake.domain.frozen import frozen

if TYPE_CHECKING:
    from song_intake.ledger.row import Values
    from song_intake.ledger.table import LedgerTable


@frozen
class Progress:
    """The steps of one message, by name."""

    done: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()


class FollowUps:
    """Safe to share between threads. Raises nothing: while DynamoDB does not answer, steps may be repeated."""

    def __init__(self, table: LedgerTable) -> None:
        self._table = table

    def of(self, delivery_id: str) -> Progress:
        """What was remembered for this message. A step that failed may be done by now."""
        try:
            found = self._table.dynamodb.get_item(
                TableName=self._table.name, Key=_key(delivery_id), ConsistentRead=True
            )
        except AWS_FAILURES:
            return Progress()
        done, failed = (found.get("Item", {}).get(name, {}).get("SS", ()) for name in ("steps_done", "steps_failed"))
        return Progress(frozenset(done), frozenset(failed))

    def remember(self, delivery_id: str, progress: Progress) -> None:
        """Add these steps to those of the message."""
        _, expires_at = self._table.stamps()
        values: Values = {":expires_at": expires_at}
        added = []
        for name, steps in (("steps_done", progress.done), ("steps_failed", progress.failed)):
            if steps:
                added.append(f"{name} :{name}")
                values[f":{name}"] = {"SS": sorted(steps)}
        with contextlib.suppress(*AWS_FAILURES):
            self._table.dynamodb.update_item(
                TableName=self._table.name,
                Key=_key(delivery_id),
                UpdateExpression=f"SET expires_at = :expires_at ADD {', '.join(added)}",
                ExpressionAttributeValues=values,
            )


def _key(delivery_id: str) -> Values:
    # No request id contains a slash.
    return {"request_id": {"S": f"message/{delivery_id}"}}
