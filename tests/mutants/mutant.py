"""A mutant, and where all of them are."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TEXT: Final = re.compile(r'"[^"]*"')

PROJECT: Final = Path(__file__).parents[2]
FOLDER: Final = PROJECT / ".mutants"
ROOMS: Final = ("work", "ledger", "music_api")
"""In the order in which they are tested."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change of one function."""

    name: str
    """mutmut's name of it: the module, and the function in the copy."""
    function: str
    """As in the source: module, class and function."""
    change: str
    """The lines that it removes and adds."""
    refused: str = ""
    """What mypy says about it."""

    @property
    def is_prose(self) -> bool:
        """Whether only texts with a blank differ: a person reads them, in a log or a detail. Codes have no blank."""
        before, _, after = self.change.partition(" => ")
        texts = zip(_TEXT.findall(before), _TEXT.findall(after), strict=False)
        return _TEXT.sub("", before) == _TEXT.sub("", after) and all(" " in old for old, new in texts if old != new)

    @property
    def room(self) -> str:
        return self.name.split(".")[1]

    @property
    def switch(self) -> str:
        """mutmut's name of the function, as its statistics have it."""
        return self.name.partition("__mutmut_")[0]
