"""The two PartiQL statements of the ledger, in memory. Anything else is an error.

    INSERT INTO "table" VALUE {'name': ?, ...}                                   fails if the key has an item
    UPDATE "table" SET "name" = ? ... REMOVE name WHERE "name" = ? AND ...       fails if no item matches

test_simulated_dynamodb.py compares them with DynamoDB's own behaviour.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.properties.simulation.expressions import Item, NotUnderstood

_INSERT: Final = re.compile(r"""INSERT INTO "[\w.-]+" VALUE \{((?:'\w+': \?(?:, )?)+)\}""")
_UPDATE: Final = re.compile(
    r"""UPDATE "[\w.-]+"((?: SET "\w+" = \?)+) REMOVE (\w+) WHERE ("\w+" = \?(?: AND "\w+" = \?)*)"""
)


def executed(statement: Mapping[str, Any], items: dict[str, Item]) -> str | None:
    """Execute one statement, and return its error code; None if it succeeded."""
    text, parameters = statement["Statement"], statement["Parameters"]
    if insert := _INSERT.fullmatch(text):
        return _inserted(_item(insert[1], parameters), items)
    if update := _UPDATE.fullmatch(text):
        changes = _item(update[1], parameters)
        return _updated(changes, update[2], _item(update[3], parameters[len(changes) :]), items)
    raise NotUnderstood(text)


def _item(names: str, parameters: Sequence[Mapping[str, object]]) -> Item:
    return dict(zip(re.findall(r"""['"](\w+)['"]""", names), parameters, strict=False))


def _inserted(item: Item, items: dict[str, Item]) -> str | None:
    key = str(item["request_id"]["S"])
    if key in items:
        return "DuplicateItem"
    items[key] = item
    return None


def _updated(changes: Item, removed: str, where: Item, items: dict[str, Item]) -> str | None:
    key = str(where["request_id"]["S"])
    existing = items.get(key, {})
    if any(existing.get(name) != value for name, value in where.items()):
        return "ConditionalCheckFailed"
    items[key] = {name: value for name, value in {**existing, **changes}.items() if name != removed}
    return None
