"""Random schedules in virtual time, each with a few messages and any faults, and what became of the messages.

A schedule follows from its seed alone, a text such as "7:1200": the number of the soak, and that of the schedule in it.
"""

import random
import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from song_intake.contract.sqs_message import REASON
from song_intake.domain.status import Status
from tests.properties.simulation import dangers
from tests.properties.simulation.choices import Choices
from tests.properties.simulation.explorer import Explorer
from tests.properties.simulation.faults import Fault
from tests.properties.simulation.invariants import Violation
from tests.properties.simulation.world import SHIPPED, Parts, World

# As many as the longest schedule reads. See choices.py.
BYTES_OF_A_TAPE: Final = 700
SETTINGS: Final = (SHIPPED, Parts(creates_per_minute=60), SHIPPED, Parts(creates_per_day_and_sender=1))
"""As they come in turns: half of the schedules with the shipped defaults, the others with a pace or a budget."""


@dataclass(slots=True)
class Figures:
    """What became of the messages of some schedules."""

    counts: Counter[str] = field(default_factory=Counter)
    """Of schedules, messages, deliveries, faults, crashes, songs, and of requests in doubt at the end."""
    letters: Counter[str] = field(default_factory=Counter)
    """The dead letters at the end of their schedules, by reason."""
    most_creates: int = 0
    """Of one request. Creates that arrive late at the vendor count too."""
    violations: list[tuple[str, str]] = field(default_factory=list)
    """The seed of each schedule that broke an invariant, and how it did: the invariant's number comes first."""

    def add(self, other: "Figures") -> None:
        self.counts.update(other.counts)
        self.letters.update(other.letters)
        self.most_creates = max(self.most_creates, other.most_creates)
        self.violations += other.violations

    def broken(self, invariant: str) -> int:
        """How many schedules broke the invariant of that number."""
        return sum(violation.startswith(f"{invariant}.") for _, violation in self.violations)


def run(soak: int, numbers: range, parts: Parts | None = None) -> Figures:
    """Run these schedules of a soak. parts: for all of them, in place of SETTINGS."""
    figures = Figures()
    for number in numbers:
        figures.add(run_schedule(f"{soak}:{number}", parts or SETTINGS[number % len(SETTINGS)]))
    return figures


def run_schedule(seed: str, parts: Parts) -> Figures:
    """Run one schedule. A violation is in its figures, and so is any exception: no schedule may raise one."""
    # A text as seed gives the same bytes in every process and release of Python.
    choices = Choices(random.Random(seed).randbytes(BYTES_OF_A_TAPE))  # noqa: S311 - chooses faults, guards nothing
    explorer = Explorer(choices, dangers.any_of_them(choices), parts)
    violations: list[tuple[str, str]] = []
    try:
        explorer.run()
    except Violation as violation:
        violations.append((seed, str(violation)))
    except Exception as failure:  # noqa: BLE001 - reported with its seed
        lines = [f"{type(failure).__name__}: {failure}", traceback.format_exc(), *explorer.world.trace]
        violations.append((seed, "\n  ".join(lines)))
    return _figures_of(explorer.world, violations)


def _figures_of(world: World, violations: list[tuple[str, str]]) -> Figures:
    faults = [fault for handling in world.history for _, fault in handling.faults]
    doubtful = {"S": str(Status.IN_DOUBT)}
    counts = {
        "schedules": 1,
        "messages": len(world.sent),
        "deliveries": len(world.history),
        "faults": len(faults),
        "crashes": faults.count(Fault.DEATH),
        "songs": len(world.vendor.songs),
        "in doubt": sum(item.get("status") == doubtful for item in world.table.items.values()),
    }
    letters = Counter(letter.attribute(REASON) or "moved by SQS" for letter in world.queues.dead_letters)
    return Figures(Counter(counts), letters, _most_creates(world), violations)


def _most_creates(world: World) -> int:
    songs: dict[str, set[str]] = {}
    for sent in world.sent:
        songs.setdefault(sent.request_id, set()).add(sent.song)
    return max(map(world.vendor.charged, songs.values()), default=0)
