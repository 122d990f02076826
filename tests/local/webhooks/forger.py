"""The source of all forgeries of webhooks."""

import json
import random
from dataclasses import dataclass
from typing import Final

from tests.local.webhooks.call import Genuine

# Receivers accept clocks that differ by five minutes.
STALE_SECONDS: Final = 6 * 60
_A_DAY: Final = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Forger:
    """The genuine webhook, and the random numbers by which the forgeries of one kind differ."""

    genuine: Genuine
    random: random.Random

    def hexadecimal(self, length: int) -> bytes:
        return "".join(self.random.choices("0123456789abcdef", k=length)).encode()

    def beginning(self, text: bytes) -> bytes:
        """A random prefix of the text, never all of it."""
        return text[: self.random.randrange(len(text))]

    def flipped(self, text: bytes) -> bytes:
        """The text with one bit flipped."""
        at = self.random.randrange(len(text))
        return text[:at] + bytes([text[at] ^ (1 << self.random.randrange(8))]) + text[at + 1 :]

    def one_digit_off(self, text: bytes) -> bytes:
        """The hexadecimal text with one digit changed."""
        at = self.random.randrange(len(text))
        other = b"%x" % ((int(text[at : at + 1], 16) + self.random.randint(1, 15)) % 16)
        return text[:at] + other + text[at + 1 :]

    def stale_by(self) -> int:
        """A number of seconds."""
        return self.random.randint(STALE_SECONDS, _A_DAY)

    def body(self, **fields: object) -> bytes:
        """The genuine body with these fields in place of its own."""
        return json.dumps({**json.loads(self.genuine.body), **fields}).encode()
