"""Reads the settings of a function from its environment variables, once, and checks them.

A settings class is a dataclass. The name and the type of a field determine the variable that it is read from:

    ledger_table: str                 LEDGER_TABLE, required
    webhook_url: str | None           WEBHOOK_URL, None if it is empty or not set
    keep_days: int                    KEEP_DAYS, a whole number above 0
    settle_margin: Seconds            SETTLE_MARGIN_SECONDS, a whole number above 0
    window: SecondsOrZero             WINDOW_SECONDS, a whole number of 0 or more
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Annotated, Any, Self, TypeAlias, get_args, get_type_hints

from song_intake.domain.frozen import frozen


class InvalidSettings(ValueError):
    """The function's configuration is invalid. The message names the variable and the rule."""


@frozen
class Variable:
    """How a field is read. name: None for the field's own name with `suffix`. least: the smallest allowed number."""

    suffix: str = ""
    least: int = 1
    name: str | None = None


Seconds: TypeAlias = Annotated[float, Variable("_SECONDS")]
SecondsOrZero: TypeAlias = Annotated[float, Variable("_SECONDS", least=0)]
CountOrZero: TypeAlias = Annotated[int, Variable(least=0)]

# OpenSSL's own variable, for a private CA. Without it, certifi's bundle is used.
CaBundle: TypeAlias = Annotated[str | None, Variable(name="SSL_CERT_FILE")]


class Settings:
    """The base of every settings class."""

    __slots__ = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read and check all fields. Raises InvalidSettings."""
        settings = cls(
            **{
                field: _read(kind, variable, environment.get(variable.name or "", ""))
                for field, (kind, variable) in cls._fields().items()
            }
        )
        broken = [rule for rule, holds in settings.rules().items() if not holds]
        if broken:
            raise InvalidSettings("; ".join(broken))
        return settings

    @classmethod
    def variables(cls) -> frozenset[str]:
        """The names of the environment variables that are read."""
        return frozenset(variable.name or "" for _, variable in cls._fields().values())

    @classmethod
    def _fields(cls) -> dict[str, tuple[Any, Variable]]:
        """The type of each field, and the variable that it is read from."""
        # `fields` expects a dataclass, and every subclass is one.
        names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
        hints = get_type_hints(cls, include_extras=True)
        return {name: _variable_of(name, hints[name]) for name in names}

    def rules(self) -> Mapping[str, bool]:
        """The rules between the values: the text of each, and whether the values satisfy it."""
        return {}


def _variable_of(field: str, hint: Any) -> tuple[Any, Variable]:
    kind, *extras = get_args(hint) if hasattr(hint, "__metadata__") else (hint,)
    variable = extras[0] if extras else Variable()
    return kind, replace(variable, name=variable.name or field.upper() + variable.suffix)


def _read(kind: Any, variable: Variable, value: str) -> str | int | None:
    text = value.strip() or None
    if kind == str | None:
        return text
    if text is None:
        raise InvalidSettings(f"{variable.name} is not set")
    return text if kind is str else _whole_number(variable, text)


def _whole_number(variable: Variable, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < variable.least:
        raise InvalidSettings(
            f"{variable.name} must be a whole number {'above 0' if variable.least else 'of 0 or more'}"
        )
    return int(text)
