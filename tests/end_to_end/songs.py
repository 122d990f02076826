"""Requests with canaries: text that may occur only in the queue, in the body of a dead letter and at the API."""

import itertools
from typing import Final

TOKEN: Final = "canary-token-7f3a91"
LYRICS: Final = "canary-lyrics-5d20c8"
SOUND: Final = "canary-sound-e61b47"
CANARIES: Final = (TOKEN, LYRICS, SOUND)

# A vendor's error that quotes the request.
QUOTING: Final = f'{{"type": "validation_error", "error": "lyrics: {LYRICS} is not allowed, nor is {SOUND}"}}'.encode()

_numbers = itertools.count(1)


def song(title: str, **fields: object) -> dict[str, object]:
    """A valid request. The stand-in's behaviour is planned by its title."""
    return {"title": title, "sound": f"slow folk, {SOUND}", "lyrics": f"[Verse]\n{LYRICS}\n", **fields}


def new_id(stem: str) -> str:
    """A request_id that no other test uses, because all tests of a stack share its ledger."""
    return f"{stem}-{next(_numbers)}"
