"""The creates of one UTC day, counted for the stack and for each sender: one item of the ledger's table for each day.

    reserve      used + 1, the sender + 1, version + 1    if both are below their limits
    give back    used - 1, the sender - 1, version + 1    if the version is still the one that was seen

The SDK sends a write again if its response was lost. A reservation that counts twice only loses a create of the day. A
create that was given back twice would allow one too many. So it is given back under the condition of a version, which
the item never has again.

The item's key cannot be a request's id, and the item has no attribute of a request but `expires_at`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.domain.frozen import frozen
from song_intake.ledger.table import LedgerUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemInputTypeDef

    from song_intake.ledger.row import Values

    Item = Mapping[str, AttributeValueTypeDef]

# A request_id has no "#" (song_request.schema.json). The day follows, as in 2026-07-01.
BUDGET_KEY = "#budget:"

_USED, _VERSION, _SENDERS = "used", "version", "senders"
# Before a sender's name. No other attribute of the item has a colon.
_SENDER = "by:"

MOST_SENDERS = 200
"""How many senders of a day are counted by name. A write costs as much as its item is large, and with so many senders
it has 12 KB. Our choice; DynamoDB's limit of 400 KB is far away."""

OTHERS = "others"
"""The senders of a day beyond MOST_SENDERS. They share the limit of one sender."""

_MOST_SECONDS = 0.5
"""Seconds for which a create is tried to be given back while other workers change the item. Our choice: the time after
an outcome is reserved for recording it, and a create that stays counted is only lost for its day."""


@frozen
class BudgetLimits:
    """How many creates a UTC day may have; 0: no limit."""

    stack: int
    sender: int


@frozen
class Usage:
    """The creates of a day, for the stack and for each sender by name."""

    used: int
    by_sender: Mapping[str, int]
    named: int = 0
    """How many senders are counted by name."""
    version: int = 0
    is_refused: bool = False
    """Whether a condition failed on it, so that nothing was written."""
    is_certain: bool = True
    """Whether the refused write was sent only once. Else its first attempt may have been made."""


@frozen
class ReservedCreate:
    """One create of that day, counted for the stack and for a sender's name. `usage`: after it."""

    day: str
    name: str
    usage: Usage


class BudgetItem:
    """Safe to share between threads. `read` and `reserve` raise LedgerUnavailable."""

    def __init__(self, dynamodb: DynamoDBClient, table: str, limits: BudgetLimits) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self.limits = limits

    def read(self, day: str) -> Usage:
        """The creates of this day."""
        try:
            found = self._dynamodb.get_item(TableName=self._table, Key=_key(day), ConsistentRead=True)
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return usage_in(found.get("Item", {}))

    def is_spent(self, day: str) -> bool:
        """Whether the stack may create nothing more on this day."""
        return self.limits.stack > 0 and self.read(day).used >= self.limits.stack

    def reserve(self, day: str, sender: str, expires_at: float) -> ReservedCreate | Usage:
        """Count one create. A Usage: a limit is reached, and nothing was counted."""
        usage = self._reserve(day, sender, expires_at)
        is_unnamed = usage.is_refused and sender not in usage.by_sender and usage.named >= MOST_SENDERS
        name = OTHERS if is_unnamed else sender
        if is_unnamed:
            usage = self._reserve(day, name, expires_at)
        return usage if usage.is_refused else ReservedCreate(day, name, usage)

    def give_back(self, reserved: ReservedCreate) -> str | None:
        """Take the create out of the count of its day. None: done; else why it may stay counted."""
        seen, until = reserved.usage.version, time.monotonic() + _MOST_SECONDS
        while time.monotonic() < until:
            try:
                usage = self._write(
                    reserved.day,
                    "ADD #used :minus_one, #version :one, #sender :minus_one",
                    "#version = :seen",
                    {"#used": _USED, "#version": _VERSION, "#sender": _SENDER + reserved.name},
                    {":minus_one": {"N": "-1"}, ":one": {"N": "1"}, ":seen": {"N": str(seen)}},
                )
            except LedgerUnavailable as failure:
                return str(failure)
            if not usage.is_refused:
                return None
            if not usage.is_certain:
                return "the first response was lost"
            if usage.version == 0:
                return "the count of its day was deleted"
            seen = usage.version
        return "too many workers changed the count at the same time"

    def _reserve(self, day: str, name: str, expires_at: float) -> Usage:
        change = "SET expires_at = :expires_at ADD #used :one, #version :one, #sender :one"
        names = {"#used": _USED, "#version": _VERSION, "#sender": _SENDER + name}
        values: Values = {":expires_at": {"N": str(int(expires_at))}, ":one": {"N": "1"}}
        conditions = []
        if self.limits.stack:
            conditions.append("(attribute_not_exists(#used) OR #used < :most_used)")
            values[":most_used"] = {"N": str(self.limits.stack)}
        if self.limits.sender:
            conditions.append("(attribute_not_exists(#sender) OR #sender < :most_of_sender)")
            values[":most_of_sender"] = {"N": str(self.limits.sender)}
        if name != OTHERS:
            change += ", #senders :name"
            names["#senders"] = _SENDERS
            conditions.append(
                "(attribute_exists(#sender) OR attribute_not_exists(#senders) OR size(#senders) < :most_senders)"
            )
            values |= {":name": {"SS": [name]}, ":most_senders": {"N": str(MOST_SENDERS)}}
        return self._write(day, change, " AND ".join(conditions), names, values)

    def _write(self, day: str, change: str, condition: str, names: dict[str, str], values: Values) -> Usage:
        write: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": _key(day),
            "UpdateExpression": change,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_NEW",
        }
        if condition:
            write["ConditionExpression"] = condition
            write["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            done = self._dynamodb.update_item(**write)
        except self._dynamodb.exceptions.ConditionalCheckFailedException as failed:
            response = cast("Any", failed.response)
            # The stubs lack `Item`, which is next to "Error" in the response.
            usage = usage_in(response.get("Item", {}))
            is_certain = response.get("ResponseMetadata", {}).get("RetryAttempts") == 0
            return replace(usage, is_refused=True, is_certain=is_certain)
        except AWS_FAILURES as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        return usage_in(done.get("Attributes", {}))


def day_of(moment: float) -> str:
    """The UTC day of a moment in seconds since 1970, as in 2026-07-01."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def _key(day: str) -> Values:
    return {"request_id": {"S": BUDGET_KEY + day}}


def usage_in(item: Item) -> Usage:
    """The creates that an item counts. Raises LedgerUnavailable for an item of another form."""
    try:
        return Usage(
            used=int(item.get(_USED, {"N": "0"})["N"]),
            by_sender={
                name.removeprefix(_SENDER): int(value["N"]) for name, value in item.items() if name.startswith(_SENDER)
            },
            named=len(item.get(_SENDERS, {"SS": ()})["SS"]),
            version=int(item.get(_VERSION, {"N": "0"})["N"]),
        )
    except (KeyError, ValueError):
        raise LedgerUnavailable(f"an item {BUDGET_KEY}... has an unknown form; delete it") from None
