"""How the package declares a value: `@frozen` on a class of annotated fields, as a dataclass has them."""

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

Declared = TypeVar("Declared")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[Declared]) -> type[Declared]:
    """A dataclass that is frozen and has slots, compares and hashes by its fields, and shows them in its repr.

    By itself, dataclass writes and compiles the methods for comparing, hashing and showing anew for each class. For the
    50 values of a function, this would cost 5 % of a cold start. Here all classes share the same methods.
    """
    # Otherwise dataclass composes the signature, and makes it the docstring.
    cls.__doc__ = cls.__doc__ or cls.__name__
    value: Any = dataclass(frozen=True, slots=True, eq=False, repr=False)(cls)
    value.__eq__, value.__hash__, value.__repr__ = _equals, _hash, _repr
    return value  # type: ignore[no-any-return]


def _equals(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({shown})"


def _compared(value: Any) -> tuple[object, ...]:
    return tuple(getattr(value, one.name) for one in fields(value) if one.compare)
