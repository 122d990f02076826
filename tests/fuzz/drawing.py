"""Values drawn from the bytes of an input, so that a fuzzer which changes bytes changes values."""

from collections.abc import Sequence
from typing import TypeVar

from song_intake.contract.strict_json import JsonValue

Option = TypeVar("Option")

# Where readers of JSON and of text differ.
ODD_VALUES: tuple[JsonValue, ...] = (
    None, True, False, 0, 1, -1, 0.5, 0.2, 1.0, 10**20, 10**400, -(10**400), 1e308, float("inf"), float("nan"), "",
    " ", "0", "-1", "NaN", "\x00", "\n", "\x7f", "\xa0", "\u200b", "\ud800", "\uffff", "\N{MUSICAL NOTE}", "a" * 300,
    "\N{MUSICAL NOTE}" * 90, [], {}, [None], [[]], [{}], {"": None},
)  # fmt: skip


class Drawing:
    """Draws values from an input. When its bytes run out, every draw is the first option, or empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def raw(self, length: int) -> bytes:
        """At most so many bytes."""
        taken = self._data[self._at : self._at + length]
        self._at += len(taken)
        return taken

    def below(self, limit: int) -> int:
        """A number of 0 or more, for limits up to 65,536."""
        return int.from_bytes(self.raw(1 if limit <= 256 else 2), "big") % limit

    def flag(self) -> bool:
        return self.below(2) == 1

    def pick(self, options: Sequence[Option]) -> Option:
        return options[self.below(len(options))]

    def text(self) -> str:
        """A text of up to 255 bytes; half a surrogate pair is possible."""
        return text_of(self.raw(self.below(256)))

    def rest(self) -> bytes:
        return self.raw(len(self._data))

    def value(self, depth: int = 3) -> JsonValue:
        """A JSON value, also of the kinds that strict JSON does not have."""
        match self.below(8):
            case 0 | 1 | 2:
                return self.pick(ODD_VALUES)
            case 3 | 4:
                return self.text()
            case 5:
                return self.below(65_536)
            case 6 if depth:
                return [self.value(depth - 1) for _ in range(self.below(4))]
            case 7 if depth:
                return {self.text(): self.value(depth - 1) for _ in range(self.below(4))}
            case _:
                return self.flag()


def text_of(data: bytes) -> str:
    """The bytes as a text, also where they are no UTF-8. JSON can carry half a surrogate pair, so a text may too."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")
