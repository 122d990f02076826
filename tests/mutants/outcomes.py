"""The outcomes of the mutants, kept in a file as they come, and the verdict over them.

survivors.toml has the mutants that may survive. Each entry has a reason, and the changes that it is about: `function`
and `change` as this module prints them, or regular expressions for them.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from tests.mutants.mutant import FOLDER, Mutant

REASONS: Final = Path(__file__).with_name("survivors.toml")
LEAST_KILLED: Final = 95.0
"""In percent of those that mypy accepts and that change anything."""


class Outcome(StrEnum):
    KILLED = "killed by a test"
    HUNG = "killed by its time-out"
    REFUSED = "refused by mypy"
    SURVIVED = "survived"
    UNTESTED = "called by no test"


ALIVE: Final = (Outcome.SURVIVED, Outcome.UNTESTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why some mutants may survive."""

    reason: str
    changes_nothing: bool
    """Whether no program could notice them: an equivalent, or prose that a person reads. They do not count."""
    function: str = ""
    change: str = ""
    functions: str = ""
    changes: str = ""
    """The last two are regular expressions, which match the whole text."""

    def is_about(self, mutant: Mutant) -> bool:
        return (
            self.function in ("", mutant.function)
            and self.change in ("", mutant.change)
            and _matches(self.functions, mutant.function)
            and _matches(self.changes, mutant.change)
        )


def reasons(file: Path = REASONS) -> list[Reason]:
    return [Reason(**entry) for entry in tomllib.loads(file.read_text(encoding="utf-8"))["survivor"]]


class Outcomes:
    """keep: the outcomes of the last run stay, but for those of survivors."""

    def __init__(self, mutants: Sequence[Mutant], *, keep: bool, file: Path = FOLDER / "outcomes.jsonl") -> None:
        self._mutants = {mutant.name: mutant for mutant in mutants}
        self._file = file
        self.found = {mutant.name: Outcome.REFUSED for mutant in mutants if mutant.refused}
        others = self._read() if keep and file.exists() else ""
        file.write_text(others, encoding="utf-8")
        for name, outcome in self.found.items():
            self._write(name, outcome, "")

    def missing(self) -> list[Mutant]:
        return [mutant for name, mutant in self._mutants.items() if name not in self.found]

    def add(self, name: str, outcome: Outcome, output: str) -> None:
        self.found[name] = outcome
        self._write(name, outcome, output)

    def _read(self) -> str:
        """By function and change, since the numbers of the mutants may be others now.

        Returns the lines of other rooms.
        """
        lines = self._file.read_text(encoding="utf-8").splitlines()
        known = [json.loads(line) for line in lines]
        before = {(line["function"], line["change"]): Outcome(line["outcome"]) for line in known}
        for name, mutant in self._mutants.items():
            outcome = before.get((mutant.function, mutant.change), Outcome.SURVIVED)
            if outcome not in ALIVE:
                self.found.setdefault(name, outcome)
        rooms = {mutant.room for mutant in self._mutants.values()}
        return "".join(f"{line}\n" for line in lines if json.loads(line)["function"].split(".")[1] not in rooms)

    def _write(self, name: str, outcome: Outcome, output: str) -> None:
        mutant = self._mutants[name]
        line = {"function": mutant.function, "change": mutant.change, "outcome": outcome, "by": output[:300]}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def verdict(self, known: Sequence[Reason]) -> tuple[str, bool]:
        """One line a figure, and whether all is well."""
        alive = [self._mutants[name] for name, outcome in self.found.items() if outcome in ALIVE]
        reason_of = {mutant.name: next((one for one in known if one.is_about(mutant)), None) for mutant in alive}
        unexplained = [mutant for mutant in alive if reason_of[mutant.name] is None]
        ignored = sum(reason is not None and reason.changes_nothing for reason in reason_of.values())
        counts = Counter(self.found.values())
        killed = counts[Outcome.KILLED] + counts[Outcome.HUNG]
        percent = 100 * killed / max(1, killed + len(alive) - ignored)
        lines = [
            *(f"{outcome:42}{counts[outcome]:>8,}" for outcome in Outcome),
            f"{'of the survivors, these change nothing':42}{ignored:>8,}",
            f"{'killed, in percent of the others':42}{percent:>8.1f}  at least {LEAST_KILLED:g}",
            f"{'survivors without a reason':42}{len(unexplained):>8,}  at most 0",
            *(f"\n{mutant.function}\n  {mutant.change}" for mutant in unexplained),
        ]
        return "\n".join(lines), percent >= LEAST_KILLED and not unexplained


def unused(outcomes: Mapping[str, Outcome], mutants: Sequence[Mutant], known: Sequence[Reason]) -> list[Reason]:
    """Reasons that are about no survivor any more."""
    alive = [mutant for mutant in mutants if outcomes.get(mutant.name) in ALIVE]
    return [reason for reason in known if not any(map(reason.is_about, alive))]


def _matches(pattern: str, text: str) -> bool:
    return not pattern or re.fullmatch(pattern, text, flags=re.DOTALL) is not None
