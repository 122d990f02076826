"""A copy of the package in which every mutant of some rooms is present, and the mutants that mypy refuses.

mutmut makes the mutants: a function becomes one function for each small change, and a switch that calls the chosen one.
So all mutants of a package are in one program, and choosing one costs nothing.
"""

import ast
import difflib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from mutmut.mutation.file_mutation import mutate_file_contents

PROJECT: Final = Path(__file__).parents[2]
PACKAGE: Final = PROJECT / "layers/song_intake/song_intake"
FOLDER: Final = PROJECT / ".mutants"
ROOMS: Final = ("work", "ledger", "music_api")
# The copies of a method assign its attributes again, which is no mistake of a mutant.
NOT_A_MISTAKE: Final = ("unused-ignore", "no-redef")


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
    def room(self) -> str:
        return self.name.split(".")[1]

    @property
    def switch(self) -> str:
        """mutmut's name of the function, as its statistics have it."""
        return self.name.partition("__mutmut_")[0]


def generate(rooms: Sequence[str]) -> list[Mutant]:
    """Write the copy of the package into FOLDER, and return its mutants."""
    copy = FOLDER / "song_intake"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    mutants: list[Mutant] = []
    for room in rooms:
        for source in sorted((PACKAGE / room).glob("*.py")):
            mutants += _mutate(source, copy / room / source.name)
    refusals = _refusals(copy)
    return [replace(mutant, refused=refusals.get(mutant.name, "")) for mutant in mutants]


def _mutate(source: Path, target: Path) -> list[Mutant]:
    mutated = mutate_file_contents(str(source), source.read_text(encoding="utf-8"))
    target.write_text(mutated.code, encoding="utf-8")
    module = ".".join(target.relative_to(FOLDER).with_suffix("").parts)
    lines = mutated.code.splitlines()
    texts = {name: lines[span.start - 1 : span.end] for name, span in mutated.line_span_by_function_name.items()}
    return [
        Mutant(
            f"{module}.{name}",
            f"{module}.{_in_source(name)}",
            _change(texts[f"{name.partition('__mutmut_')[0]}__mutmut_orig"], texts[name]),
        )
        for name in mutated.mutant_names
    ]


def _in_source(name: str) -> str:
    """x_function and xǁClassǁmethod, as they are in the source."""
    mangled = name.partition("__mutmut_")[0]
    return mangled.removeprefix("xǁ").replace("ǁ", ".") if mangled.startswith("xǁ") else mangled.removeprefix("x_")


def _change(before: Sequence[str], after: Sequence[str]) -> str:
    """The changed lines, but for the one with the name, which is the copy's own."""
    changed = [line for line in difflib.ndiff(before, after) if line[0] in "-+" and "__mutmut_" not in line]
    removed, added = (" ".join(line[2:].strip() for line in changed if line[0] == sign) for sign in "-+")
    return f"{removed} => {added}"


def _refusals(copy: Path) -> dict[str, str]:
    """What mypy says about each mutant that it refuses, by the mutant's name."""
    disabled = [argument for code in NOT_A_MISTAKE for argument in ("--disable-error-code", code)]
    command = [sys.executable, "-m", "mypy", "--output", "json", *disabled, "--cache-dir", str(FOLDER / "mypy")]
    checked = subprocess.run(
        [*command, "--config-file", str(PROJECT / "pyproject.toml"), str(copy)],
        cwd=FOLDER,
        env={"MYPYPATH": str(FOLDER)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    errors = [json.loads(line) for line in checked.stdout.splitlines()]
    refusals: dict[str, str] = {}
    for error in errors:
        if error["severity"] != "error":
            continue
        name = _functions(Path(FOLDER, error["file"]))[error["line"]]
        if name.endswith("_orig") or "__mutmut_" not in name:
            raise ValueError(f"mypy refuses the original of {name}: {error['message']}")
        refusals[name] = error["message"]
    return refusals


@cache
def _functions(path: Path) -> dict[int, str]:
    """The function of each line of a module, with the module's name before it."""
    module = ".".join(path.relative_to(FOLDER).with_suffix("").parts)
    names: dict[int, str] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        for one in [node, *(node.body if isinstance(node, ast.ClassDef) else [])]:
            if isinstance(one, ast.FunctionDef) and one.end_lineno:
                names |= dict.fromkeys(range(one.lineno, one.end_lineno + 1), f"{module}.{one.name}")
    return names
