"""What a run prints, without the characters that could steer a terminal.

The package has the same function (`song_intake.commands.terminal`), but a run does not import the package: it must run
the deployed functions, with their own layer, and nothing else.
"""

import json


def printable(text: str) -> str:
    """The text with an escape for every character that is not printed itself."""
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in text)
