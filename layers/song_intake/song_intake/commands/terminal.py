"""What a command prints. Ids, metadata and error texts come from senders, and must not steer an operator's terminal."""

from __future__ import annotations

import json
import sys


def print_line(line: str) -> None:
    """Print one line of the answer, escaped."""
    print(printable(line), flush=True)  # noqa: T201 - the command's output


def print_json(value: object) -> None:
    """Print a value as one JSON document."""
    for line in json.dumps(value, indent=2, ensure_ascii=False).split("\n"):
        print_line(line)


def print_note(line: str) -> None:
    """Print one line beside the answer, on the standard error."""
    print(printable(line), file=sys.stderr, flush=True)  # noqa: T201 - likewise


def printable(text: str) -> str:
    r"""The text with an escape as in JSON (`\u202e`) for every character that is not printed itself.

    These are control characters (C0, C1), line breaks, formatting characters such as the overrides of the direction of
    text, and characters without a meaning. Inside a string of JSON, the escape means the same as the character.
    """
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in text)
