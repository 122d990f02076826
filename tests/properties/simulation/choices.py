"""Who makes up a schedule: a tape of random bytes, one for each choice."""

from collections.abc import Sequence
from typing import Final, TypeVar

import hypothesis.strategies as st

T = TypeVar("T")

# A long schedule reads some 300 bytes.
TAPES: Final = st.binary(min_size=100, max_size=700)


class Choices:
    """Hypothesis writes the tape, and shortens it and lowers its bytes when a schedule fails. Drawing each choice by
    itself would shrink no better, and is four times slower.
    """

    def __init__(self, tape: bytes) -> None:
        self._bytes = iter(tape)

    def pick(self, options: Sequence[T]) -> T:
        """One of them: the first, which is to be the calmest, from a low byte or when the tape has ended."""
        return options[next(self._bytes, 0) % len(options)]
