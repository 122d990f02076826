"""The choices of a schedule: each is read from one byte of a random tape."""

from collections.abc import Sequence
from typing import Final, TypeVar

import hypothesis.strategies as st

T = TypeVar("T")

# A long schedule reads about 300 bytes.
TAPES: Final = st.binary(min_size=100, max_size=700)


class Choices:
    """Hypothesis writes the tape. It shrinks a failing schedule by shortening the tape and lowering its bytes. To draw
    each choice separately would shrink no better, and is four times slower.
    """

    def __init__(self, tape: bytes) -> None:
        self._bytes = iter(tape)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options. Put the most harmless first: a low byte, or the end of the tape, chooses it."""
        return options[next(self._bytes, 0) % len(options)]
