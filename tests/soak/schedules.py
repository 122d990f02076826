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

    schedules: int = 0
    messages: int = 0
    deliveries: int = 0
    faults: int = 0
    crashes: int = 0
    songs: int = 0
    most_creates: int = 0
    """Of one request. Creates that arrive late at the vendor count too."""
    lost: int = 0
    paid_twice: int = 0
    other_violations: int = 0
    in_doubt: int = 0
    letters: Counter[str] = field(default_factory=Counter)
    """The dead letters at the end of their schedules, by reason."""
    violations: list[tuple[str, str]] = field(default_factory=list)
    """The seed of each schedule that broke an invariant, and how it did."""

    def add(self, other: "Figures") -> None:
        for name in (
            "schedules messages deliveries faults crashes songs lost paid_twice other_violations in_doubt"
        ).split():
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.most_creates = max(self.most_creates, other.most_creates)
        self.letters.update(other.letters)
        self.violations += other.violations


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
    except Exception:  # noqa: BLE001 - reported with its seed
        violations.append((seed, "\n  ".join([traceback.format_exc(), *explorer.world.trace])))
    return _figures_of(explorer.world, violations)


def _figures_of(world: World, violations: list[tuple[str, str]]) -> Figures:
    faults = [fault for handling in world.history for _, fault in handling.faults]
    kinds = Counter(violation[:2] for _, violation in violations)
    letters = Counter(letter.attribute(REASON) or "moved by SQS" for letter in world.queues.dead_letters)
    doubtful = {"S": str(Status.IN_DOUBT)}
    return Figures(
        schedules=1,
        messages=len(world.sent),
        deliveries=len(world.history),
        faults=len(faults),
        crashes=faults.count(Fault.DEATH),
        songs=len(world.vendor.songs),
        most_creates=_most_creates(world),
        lost=kinds["2."],
        paid_twice=kinds["1."],
        other_violations=kinds.total() - kinds["1."] - kinds["2."],
        in_doubt=sum(item.get("status") == doubtful for item in world.table.items.values()),
        letters=letters,
        violations=violations,
    )


def _most_creates(world: World) -> int:
    songs: dict[str, set[str]] = {}
    for sent in world.sent:
        songs.setdefault(sent.request_id, set()).add(sent.song)
    return max(map(world.vendor.charged, songs.values()), default=0)
