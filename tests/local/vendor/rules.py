"""The music API's rules for a create, as its pages print them. On purpose, they do not use the project's own contract.

If they came from `song_request.schema.json`, a mistake in it would also be in the stand-in, and no test would fail.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from tests.local.vendor.answer import ENDPOINT_RETIRED, VendorError, validation_error

MODELS: Final = frozenset(
    {
        "FUZZ-2.0 Pro",
        "FUZZ-2.0",
        "FUZZ-2.0 Raw",
        "FUZZ-1.1 Pro",
        "FUZZ-1.1",
        "FUZZ-1.0 Pro",
        "FUZZ-1.0",
        "FUZZ-0.8",
        "FUZZ-3-Demo",
        "Lyria 3 preview",
    }
)


@dataclass(frozen=True, slots=True)
class Rule:
    expected: str
    holds: Callable[[object], bool]


def _text(longest: int | None = None) -> Rule:
    def holds(value: object) -> bool:
        return isinstance(value, str) and (longest is None or len(value) <= longest)

    return Rule("a string" if longest is None else f"a string of at most {longest} characters", holds)


def _number(low: float, high: float) -> Rule:
    def holds(value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high

    return Rule(f"a number from {low} to {high}", holds)


def _is_digits(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()


def _is_https_url(value: object) -> bool:
    return isinstance(value, str) and value.startswith("https://") and len(value) <= 1024


FIELDS: Final = {
    "task_type": _text(),
    "sound": _text(),
    "lyrics": _text(),
    "mv": Rule("the name of a model", lambda value: isinstance(value, str) and value in MODELS),
    "title": _text(longest=80),
    "seed": Rule("a string of digits", _is_digits),
    "make_instrumental": Rule("a boolean", lambda value: isinstance(value, bool)),
    "lyrics_strength": _number(0, 1),
    "sound_strength": _number(0.2, 1),
    "weirdness": _number(0, 1),
    "webhook_url": Rule("an HTTPS URL of at most 1024 characters", _is_https_url),
    "webhook_secret": _text(),
}


def check_create(raw: bytes) -> dict[str, object] | VendorError:
    """The body of a valid create, or the vendor's error about the first rule that it breaks."""
    body = parse_object(raw)
    if body is None:
        return validation_error("The body must be a JSON object.")
    match body.get("task_type"):
        case None:
            return validation_error("task_type is required.")
        case str(task_type) if task_type != "create_music":
            return ENDPOINT_RETIRED
    if not (body.get("sound") or body.get("lyrics")):
        return validation_error("At least one of sound, lyrics is required.")
    return _first_wrong_field(body) or body


def parse_object(raw: bytes) -> dict[str, object] | None:
    """The JSON object in the body of a request, or None if the body is anything else."""
    try:
        value: object = json.loads(raw, parse_constant=_refuse_constant)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _first_wrong_field(body: dict[str, object]) -> VendorError | None:
    for name, value in body.items():
        rule = FIELDS.get(name)
        # The vendor does not publish whether it ignores unknown fields. Refusing them detects every field of this
        # project that leaks into a create.
        if rule is None:
            return validation_error(f"{name} is not a known field.")
        if not rule.holds(value):
            return validation_error(f"{name} must be {rule.expected}.")
    return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
