"""The errors of an invalid request, in texts that may be logged.

A request holds lyrics and descriptions that must not reach a log, and a faulty request may have them anywhere: in a
value, or in the name of a field. So an error contains a path, the rule and the expected form, and never quotes a value.
A name that the caller chose is shown only if it is short and plain (`is_showable`).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from song_intake.domain.frozen import frozen

# Our choice: attributes count towards the size of an SQS message, and more text helps no reader.
MAX_SUMMARY_CHARACTERS: Final = 2_000
MAX_ERRORS_NAMED: Final = 20

_SHOWABLE = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@frozen
class FieldError:
    """One broken rule. path: where. rule: a schema keyword, or a code of this package. message: what was expected."""

    path: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path} {self.message} ({self.rule})"


class InvalidRequest(ValueError):
    """The message is not a valid song request. `errors` has every error that was found.

    request_id, task_token: the caller's own, if they could be read and are valid; else None.
    The text of the exception is printable ASCII of at most 2,000 characters, so it fits an SQS message attribute.
    """

    def __init__(
        self, errors: Iterable[FieldError], request_id: str | None = None, task_token: str | None = None
    ) -> None:
        self.errors: tuple[FieldError, ...] = tuple(errors)
        self.request_id = request_id
        self.task_token = task_token
        super().__init__(_summary(self.errors))


def is_showable(name: str) -> bool:
    """Whether a name that the caller chose may be repeated in an error."""
    return _SHOWABLE.fullmatch(name) is not None


def json_path(steps: Sequence[str | int]) -> str:
    """`$.metadata.customer`, or `$.metadata[?]` if a name cannot be shown."""
    return "$" + "".join(_step(step) for step in steps)


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if _IDENTIFIER.fullmatch(step) and is_showable(step):
        return f".{step}"
    return f"['{step}']" if is_showable(step) else "[?]"


def _summary(errors: Sequence[FieldError]) -> str:
    count = f"{len(errors)} errors: " if len(errors) > 1 else ""
    room = MAX_SUMMARY_CHARACTERS - len(count) - len(_and_more(len(errors)))
    shown: list[str] = []
    for error in errors[:MAX_ERRORS_NAMED]:
        text = str(error)
        room -= len(text) + len("; ")
        if room < 0:
            break
        shown.append(text)
    left_out = len(errors) - len(shown)
    return count + "; ".join(shown) + (_and_more(left_out) if left_out else "")


def _and_more(count: int) -> str:
    return f"; and {count} more"
