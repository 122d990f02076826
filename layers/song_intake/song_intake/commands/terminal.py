"""What a command prints. Ids, metadata and error texts come from senders, and must not steer an operator's terminal."""

from __future__ import annotations

import json


def print_line(line: str) -> None:
    """Print one line, escaped."""
    print(printable(line), flush=True)  # noqa: T201 - the command's output


def printable(text: str) -> str:
    r"""The text with an escape as in JSON (`\u202e`) for every character that is not printed itself.

    These are control characters (C0, C1), line breaks, formatting characters such as the overrides of the direction of
    text, and characters without a meaning. Inside a string of JSON, the escape means the same as the character.
    """
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in text)
