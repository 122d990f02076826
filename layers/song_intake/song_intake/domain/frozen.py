"""How the package declares a value: `@frozen` on a class of annotated fields, as a dataclass has them."""

from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

Declared = TypeVar("Declared")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[Declared]) -> type[Declared]:
    """A dataclass that is frozen and has slots, compares and hashes by its fields, and shows them in its repr.

    By itself, dataclass writes and compiles all its methods anew for each class. For the 50 values of a function, this
    would cost a tenth of a cold start. Here all classes share them, and only `__init__` is written for each: its
    parameters are the fields in their order, with their defaults. Raises TypeError for a field with a default_factory.
    """
    # Otherwise dataclass composes the signature, and makes it the docstring.
    cls.__doc__ = cls.__doc__ or cls.__name__
    value: Any = dataclass(init=False, slots=True, eq=False, repr=False)(cls)
    value.__init__ = _init_of(value)
    value.__setattr__, value.__delattr__ = _refuse_to_set, _refuse_to_delete
    value.__eq__, value.__hash__, value.__repr__, value.__reduce__ = _equals, _hash, _repr, _reduce
    return value  # type: ignore[no-any-return]


def _init_of(value: Any) -> Any:
    known: dict[str, Any] = {"set_field": object.__setattr__}
    parameters, body = "self", ""
    for one in fields(value):
        if one.default_factory is not MISSING:
            raise TypeError(f"{one.name} has a default_factory, which values do not have")
        if one.default is MISSING:
            parameters += f", {one.name}"
        else:
            known[f"default_{one.name}"] = one.default
            parameters += f", {one.name}=default_{one.name}"
        body += f"\n    set_field(self, {one.name!r}, {one.name})"
    # As dataclass does. The names of fields are identifiers.
    exec(f"def __init__({parameters}):{body}", known)  # nosec B102 # noqa: S102
    return known["__init__"]


def _refuse_to_set(_: Any, name: str, __: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _equals(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({shown})"


def _reduce(self: Any) -> tuple[object, ...]:
    """For copies and pickles, which would set the fields of a finished value."""
    return type(self), tuple(getattr(self, one.name) for one in fields(self))


def _compared(value: Any) -> tuple[object, ...]:
    return tuple(getattr(value, one.name) for one in fields(value) if one.compare)
