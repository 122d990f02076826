"""Requests that carry canaries: text that must occur nowhere but in the queue, the dead letter's body and the API."""

import itertools
from typing import Final

TOKEN: Final = "canary-token-7f3a91"
LYRICS: Final = "canary-lyrics-5d20c8"
SOUND: Final = "canary-sound-e61b47"
CANARIES: Final = (TOKEN, LYRICS, SOUND)

# An error of the vendor that quotes the request, as one may.
QUOTING: Final = f'{{"type": "validation_error", "error": "lyrics: {LYRICS} is not allowed, nor is {SOUND}"}}'.encode()

_numbers = itertools.count(1)


def song(title: str, **fields: object) -> dict[str, object]:
    """A valid request. Its title is what the stand-in's behaviour is planned by."""
    return {"title": title, "sound": f"slow folk, {SOUND}", "lyrics": f"[Verse]\n{LYRICS}\n", **fields}


def new_id(stem: str) -> str:
    """A request_id that no other test uses: the ledger remembers across tests, as it should."""
    return f"{stem}-{next(_numbers)}"
