"""The state of the pace, which all workers share: one item of the ledger's table, changed by compare-and-set.

A change is worked out here from the state that was seen last, and written on the condition that the item is still that
one. Where another worker was faster, the refusal brings its state (ALL_OLD) and the change is worked out anew. So a
reservation of many slots is one write where nobody interferes, and never a read.

The item's key is none that a request can have, and it has nothing of a request: no status, no `doubt` by which it would
be listed, no `expires_at`. It may be deleted at any time; the pace then starts anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from song_intake.admission.pace import Pace
from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.ledger.table import LedgerUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemInputTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

Result = TypeVar("Result")
Change = Callable[[Pace], tuple[Pace, Result]]

# A request_id has no "#".
PACE_KEY = "#pace"

# Of every try one worker's succeeds, so this is more than any number of workers that the template allows to be paced.
MOST_TRIES = 50


@dataclass(frozen=True, slots=True)
class _Seen:
    """The state, and the name of the write that made it; None where there is no item."""

    pace: Pace
    revision: str | None


class PaceItem:
    """Safe to share between threads; those that change it at the same time get in each other's way like workers."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._seen = _Seen(Pace(), None)

    def change(self, change: Change[Result]) -> Result:
        """Write what `change` makes of the state, and give its result. Raises LedgerUnavailable.

        It may be called several times, of which the last one counts.
        """
        for _ in range(MOST_TRIES):
            seen = self._seen
            pace, result = change(seen.pace)
            wanted = _Seen(pace, uuid.uuid4().hex)
            existing = self._write(wanted, seen.revision)
            # Its own write, where the SDK sent it again because its answer was lost.
            is_written = existing is None or existing.revision == wanted.revision
            self._seen = wanted if existing is None else existing
            if is_written:
                return result
        raise LedgerUnavailable("too many workers reserve slots at the same time")

    def _write(self, wanted: _Seen, seen: str | None) -> _Seen | None:
        """None when written; else what stands in the way."""
        write: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": {"request_id": {"S": PACE_KEY}},
            "UpdateExpression": f"SET {', '.join(f'{name} = :{name}' for name in _ATTRIBUTES)}",
            "ConditionExpression": "revision = :seen" if seen else "attribute_not_exists(revision)",
            "ExpressionAttributeValues": {
                **{f":{name}": value for name, value in _item(wanted).items()},
                **({":seen": {"S": seen}} if seen else {}),
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            self._dynamodb.update_item(**write)
        except self._dynamodb.exceptions.ConditionalCheckFailedException as failed:
            # The stubs do not know of the item, which comes beside "Error".
            return _seen_in(cast("Item | None", failed.response.get("Item")))
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return None


_ATTRIBUTES = ("next_at", "free_slots", "slow_factor", "slow_from", "revision")


def _item(seen: _Seen) -> dict[str, AttributeValueTypeDef]:
    pace = seen.pace
    return {
        "next_at": _number(pace.next_at),
        "free_slots": {"L": [_number(slot) for slot in pace.free]},
        "slow_factor": _number(pace.slow),
        "slow_from": _number(pace.slow_from),
        "revision": {"S": seen.revision or ""},
    }


def _seen_in(item: Item | None) -> _Seen:
    if not item:
        return _Seen(Pace(), None)
    try:
        pace = Pace(
            next_at=float(item["next_at"]["N"]),
            free=tuple(float(slot["N"]) for slot in item["free_slots"]["L"]),
            slow=float(item["slow_factor"]["N"]),
            slow_from=float(item["slow_from"]["N"]),
        )
        return _Seen(pace, item["revision"]["S"])
    except (KeyError, ValueError):
        raise LedgerUnavailable(f"the item {PACE_KEY} is not as it was written; delete it") from None


def _number(seconds: float) -> AttributeValueTypeDef:
    return {"N": f"{seconds:.6f}"}
