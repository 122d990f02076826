"""The condition and update expressions of DynamoDB that the ledger uses. Anything else is an error.

    condition  :=  all (OR all)*            all  :=  one (AND one)*
    one        :=  "(" condition ")"  |  attribute_exists(name)  |  attribute_not_exists(name)
                |  name = :value  |  name <> :value  |  name < :number  |  name IN (:value, ...)  |  size(name) < :value
    update     :=  [SET name = :value | if_not_exists(name, :value), ...] [REMOVE name, ...] [ADD name :value, ...]
                   [DELETE name :value, ...]

test_simulated_dynamodb.py compares them with DynamoDB's own behaviour.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, cast

AttributeValue = Mapping[str, object]
Item = dict[str, AttributeValue]
Condition = Callable[[Item], bool]

_TOKEN: Final = re.compile(r"\s*(<>|[=<(),]|[#:]?[A-Za-z_][A-Za-z0-9_]*)")


class NotUnderstood(Exception):
    """DynamoDB would reject this expression, or the simulation does not support it."""


@dataclass(frozen=True, slots=True)
class Placeholders:
    """ExpressionAttributeNames and ExpressionAttributeValues."""

    names: Mapping[str, str]
    values: Mapping[str, AttributeValue]

    def refuse_unused(self, *expressions: str) -> None:
        """DynamoDB rejects a write with a placeholder that none of its expressions uses."""
        used = {token for text in expressions for token in _tokens(text)}
        if unused := [name for name in (*self.names, *self.values) if name not in used]:
            raise NotUnderstood(f"unused: {unused}")


def holds(text: str, placeholders: Placeholders, item: Item) -> bool:
    """Whether the condition holds for the item; `{}` if there is no item."""
    reader = _Reader(text, placeholders)
    condition = _any_of(reader)
    reader.expect_end()
    return condition(item)


def updated(text: str, placeholders: Placeholders, item: Item) -> Item:
    """The item after the update. All values are read from the item before it."""
    reader = _Reader(text, placeholders)
    changed = dict(item)
    while clause := reader.read_if("SET", "REMOVE", "ADD", "DELETE"):
        _CLAUSES[clause](reader, item, changed)
        while reader.read_if(","):
            _CLAUSES[clause](reader, item, changed)
    reader.expect_end()
    return changed


class _Reader:
    """Reads the tokens of one expression, one by one."""

    def __init__(self, text: str, placeholders: Placeholders) -> None:
        self._tokens = [*_tokens(text), ""]
        self._next = 0
        self._placeholders = placeholders

    def read(self) -> str:
        self._next += 1
        return self._tokens[self._next - 1]

    def read_if(self, *wanted: str) -> str | None:
        return self.read() if self._tokens[self._next] in wanted else None

    def expect(self, wanted: str) -> None:
        if (found := self.read()) != wanted:
            raise NotUnderstood(f"{found!r} where {wanted!r} was expected")

    def expect_end(self) -> None:
        self.expect("")

    def name(self) -> str:
        token = self.read()
        if token.startswith("#"):
            return self._placeholders.names[token]
        if not token.isidentifier():
            raise NotUnderstood(f"{token!r} is not an attribute's name")
        return token

    def value(self) -> AttributeValue:
        token = self.read()
        if not token.startswith(":"):
            raise NotUnderstood(f"{token!r} is not a value")
        return self._placeholders.values[token]


@cache
def _tokens(text: str) -> tuple[str, ...]:
    tokens, position, text = [], 0, text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise NotUnderstood(text[position:])
        tokens.append(found[1])
        position = found.end()
    return tuple(tokens)


def _any_of(reader: _Reader) -> Condition:
    conditions = [_all_of(reader)]
    while reader.read_if("OR"):
        conditions.append(_all_of(reader))
    return lambda item: any(condition(item) for condition in conditions)


def _all_of(reader: _Reader) -> Condition:
    conditions = [_one(reader)]
    while reader.read_if("AND"):
        conditions.append(_one(reader))
    return lambda item: all(condition(item) for condition in conditions)


def _one(reader: _Reader) -> Condition:
    if reader.read_if("("):
        condition = _any_of(reader)
        reader.expect(")")
        return condition
    if reader.read_if("size"):
        return _smaller(reader)
    if function := reader.read_if("attribute_exists", "attribute_not_exists"):
        reader.expect("(")
        name = reader.name()
        reader.expect(")")
        return lambda item: (name in item) is (function == "attribute_exists")
    return _comparison(reader)


def _comparison(reader: _Reader) -> Condition:
    name, operator = reader.name(), reader.read()
    match operator:
        case "=":
            value = reader.value()
            return lambda item: item.get(name) == value
        case "<>":
            value = reader.value()
            # A missing attribute differs from every value.
            return lambda item: item.get(name) != value
        case "<":
            limit = int(str(reader.value()["N"]))
            # Without the attribute, no comparison holds.
            return lambda item: name in item and int(str(item[name]["N"])) < limit
        case "IN":
            values = _listed_values(reader)
            return lambda item: item.get(name) in values
        case _:
            raise NotUnderstood(f"the operator {operator!r}")


def _smaller(reader: _Reader) -> Condition:
    """Whether a set or a list has fewer members. Without the attribute, no comparison holds."""
    reader.expect("(")
    name = reader.name()
    reader.expect(")")
    reader.expect("<")
    limit = int(str(reader.value()["N"]))

    def is_smaller(item: Item) -> bool:
        members = item.get(name, {})
        return any(len(cast("Sequence[object]", members[kind])) < limit for kind in ("SS", "L") if kind in members)

    return is_smaller


def _listed_values(reader: _Reader) -> list[AttributeValue]:
    reader.expect("(")
    values = [reader.value()]
    while reader.read_if(","):
        values.append(reader.value())
    reader.expect(")")
    return values


def _set(reader: _Reader, before: Item, changed: Item) -> None:
    target = reader.name()
    reader.expect("=")
    if not reader.read_if("if_not_exists"):
        changed[target] = reader.value()
        return
    reader.expect("(")
    kept = reader.name()
    reader.expect(",")
    changed[target] = before.get(kept, reader.value())
    reader.expect(")")


def _remove(reader: _Reader, _before: Item, changed: Item) -> None:
    changed.pop(reader.name(), None)


def _add(reader: _Reader, before: Item, changed: Item) -> None:
    target = reader.name()
    match reader.value():
        case {"N": str(more)}:
            number = before.get(target, {"N": "0"})["N"]
            changed[target] = {"N": str(int(str(number)) + int(more))}
        case {"SS": list(more)}:
            members = before.get(target, {"SS": []})["SS"]
            changed[target] = {"SS": sorted({*members, *more})} if isinstance(members, list) else {"SS": more}
        case other:
            raise NotUnderstood(f"ADD of {other}")


def _delete(reader: _Reader, before: Item, changed: Item) -> None:
    """A set without members does not exist."""
    target, value = reader.name(), reader.value()
    kept = sorted(_members(before.get(target, {})) - _members(value))
    if kept:
        changed[target] = {"SS": kept}
    else:
        changed.pop(target, None)


def _members(value: AttributeValue) -> set[str]:
    members = value.get("SS", ())
    return set(members) if isinstance(members, list) else set()


_CLAUSES: Final[dict[str, Callable[[_Reader, Item, Item], None]]] = {
    "SET": _set,
    "REMOVE": _remove,
    "ADD": _add,
    "DELETE": _delete,
}
