"""The environment of a function: read once, by name, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# OpenSSL's own variable, for a private CA; without it, the bundle of certifi.
CA_BUNDLE = "SSL_CERT_FILE"


class InvalidSettings(ValueError):
    """The function's configuration is wrong; the text names the variable and the rule."""


@dataclass(frozen=True, slots=True)
class Reader:
    environment: Mapping[str, str]

    def text(self, name: str) -> str:
        value = self.optional(name)
        if value is None:
            raise InvalidSettings(f"{name} is not set")
        return value

    def optional(self, name: str) -> str | None:
        return self.environment.get(name, "").strip() or None

    def number(self, name: str, least: int = 1) -> int:
        value = self.text(name)
        if not value.isascii() or not value.isdigit() or int(value) < least:
            raise InvalidSettings(f"{name} must be a whole number {'above 0' if least else 'of 0 or more'}")
        return int(value)


def require(rules: Mapping[str, bool]) -> None:
    broken = [rule for rule, holds in rules.items() if not holds]
    if broken:
        raise InvalidSettings("; ".join(broken))
