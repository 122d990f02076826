"""The figures of a load, one a line, and which of them break their limit."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.load.usage import MIB, Growth
from tests.local.intake import Intake, Letter
from tests.local.vendor.record import Create

MOST_GROWTH: Final = 5.0
"""Of a function's memory from a tenth of the time to the end, in percent."""
MOST_DESCRIPTORS: Final = 5
"""More than at a tenth of the time. A pool may still open a connection; what leaks with each request is thousands."""
_ENDED: Final = ("SUCCEEDED", "FAILED")


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    value: float
    most: float | None = None
    """Its limit, if it has one."""

    @property
    def is_broken(self) -> bool:
        return self.most is not None and self.value > self.most

    def __str__(self) -> str:
        limit = "" if self.most is None else f"  at most {self.most:g}" + (", BROKEN" if self.is_broken else "")
        shown = f"{self.value:,}" if isinstance(self.value, int) else f"{self.value:,.1f}"
        return f"{self.name:52}{shown:>12}{limit}"


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the requests of a load."""

    sent: int
    ended: int
    in_doubt: int
    letters: int
    """Requests that have a dead letter, and no song that ended."""
    lost: tuple[str, ...]
    """Requests that neither ended nor have a dead letter."""
    paid_twice: tuple[str, ...]


def ends_of(request_ids: Iterable[str], intake: Intake, creates: Iterable[Create]) -> Ended:
    """Read what became of these requests. The title of each song is its request_id."""
    sent = list(request_ids)
    # In this order: a request that ends meanwhile has its letter before its row.
    letters = {letter.attributes.get("request_id") for letter in _all_letters(intake)}
    statuses = {row["request_id"]: row["status"] for row in intake.rows()}
    unended = [one for one in sent if statuses.get(one) not in _ENDED]
    songs = Counter(create.title for create in creates)
    return Ended(
        sent=len(sent),
        ended=len(sent) - len(unended),
        in_doubt=sum(statuses.get(one) == "IN_DOUBT" for one in unended),
        letters=sum(one in letters for one in unended),
        lost=tuple(one for one in unended if one not in letters),
        paid_twice=tuple(one for one in sent if songs[one] > 1),
    )


def _all_letters(intake: Intake) -> list[Letter]:
    return [*intake.letters(), *intake.letters("CheckDeadLetterQueueUrl")]


def of_ends(ends: Ended) -> list[Figure]:
    return [
        Figure("requests sent", ends.sent),
        Figure("songs that ended", ends.ended),
        Figure("requests in doubt", ends.in_doubt),
        Figure("requests with a dead letter", ends.letters),
        Figure("requests lost", len(ends.lost), 0),
        Figure("requests paid twice", len(ends.paid_twice), 0),
    ]


def of_growth(grown: Sequence[Growth]) -> list[Figure]:
    figures = []
    for one in grown:
        figures += [
            Figure(f"{one.function}: processes", one.processes),
            Figure(f"{one.function}: MiB a process at a tenth of the time", one.memory_before / MIB),
            Figure(f"{one.function}: MiB a process at the end", one.memory_after / MIB),
            Figure(f"{one.function}: growth of the memory in percent", one.of_memory, MOST_GROWTH),
            Figure(f"{one.function}: growth of open descriptors", one.descriptors, MOST_DESCRIPTORS),
        ]
    return figures
