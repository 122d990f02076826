"""The state of the pace, shared by all workers: one item of the ledger's table, changed by compare-and-set.

A change is computed from the last known state, and written on the condition that the item still has that state. If
another worker was faster, the failed condition returns that worker's state (ALL_OLD), and the change is computed again.
So reserving many slots is one write if no other worker interferes, and never needs a read.

The item's key cannot be a request's id, and the item has no attribute of a request: no status, no `doubt` that would
list it, no `expires_at`. The item may be deleted at any time; the pace then starts from its defaults.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar, cast

from song_intake.admission.pace import Pace
from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.domain.frozen import frozen
from song_intake.ledger.table import LedgerUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemInputTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

Result = TypeVar("Result")
Change = Callable[[Pace], tuple[Pace, Result]]

# A request_id has no "#" (song_request.schema.json).
PACE_KEY = "#pace"

# In every round one worker's write succeeds, so this exceeds the number of paced workers that the template allows.
MOST_TRIES = 50


@frozen
class _Version:
    """A state, and the id of the write that made it; None if there is no item."""

    pace: Pace
    revision: str | None


class PaceItem:
    """Safe to share between threads. Threads that change the item at the same time contend as separate workers do."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._known = _Version(Pace(), None)

    def change(self, change: Change[Result]) -> Result:
        """Write the state that `change` returns, and return its result. Raises LedgerUnavailable.

        `change` may be called several times; the last call counts.
        """
        for _ in range(MOST_TRIES):
            known = self._known
            pace, result = change(known.pace)
            wanted = _Version(pace, uuid.uuid4().hex)
            existing = self._write(wanted, known.revision)
            # The existing item may be this write: the SDK sends it again if its response was lost.
            is_written = existing is None or existing.revision == wanted.revision
            self._known = wanted if existing is None else existing
            if is_written:
                return result
        raise LedgerUnavailable("too many workers are reserving slots at the same time")

    def _write(self, wanted: _Version, known: str | None) -> _Version | None:
        """None if written; else the version that exists."""
        write: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": {"request_id": {"S": PACE_KEY}},
            "UpdateExpression": f"SET {', '.join(f'{name} = :{name}' for name in _ATTRIBUTES)}",
            "ConditionExpression": "revision = :known" if known else "attribute_not_exists(revision)",
            "ExpressionAttributeValues": {
                **{f":{name}": value for name, value in _item(wanted).items()},
                **({":known": {"S": known}} if known else {}),
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            self._dynamodb.update_item(**write)
        except self._dynamodb.exceptions.ConditionalCheckFailedException as failed:
            # The stubs lack `Item`, which is next to "Error" in the response.
            return _version_of(cast("Item | None", failed.response.get("Item")))
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return None


_ATTRIBUTES = ("next_at", "free_slots", "slow_factor", "slow_from", "revision")


def _item(version: _Version) -> dict[str, AttributeValueTypeDef]:
    pace = version.pace
    return {
        "next_at": _number(pace.next_at),
        "free_slots": {"L": [_number(slot) for slot in pace.free]},
        "slow_factor": _number(pace.slow),
        "slow_from": _number(pace.slow_from),
        "revision": {"S": version.revision or ""},
    }


def _version_of(item: Item | None) -> _Version:
    if not item:
        return _Version(Pace(), None)
    try:
        pace = Pace(
            next_at=float(item["next_at"]["N"]),
            free=tuple(float(slot["N"]) for slot in item["free_slots"]["L"]),
            slow=float(item["slow_factor"]["N"]),
            slow_from=float(item["slow_from"]["N"]),
        )
        return _Version(pace, item["revision"]["S"])
    except (KeyError, ValueError):
        raise LedgerUnavailable(f"the item {PACE_KEY} has an unknown form; delete it") from None


def _number(seconds: float) -> AttributeValueTypeDef:
    return {"N": f"{seconds:.6f}"}
