"""`make mutants`: small changes of the rooms that decide, pay and remember, each of which some test must notice.

MUTANTS=work,ledger     only these rooms
MUTANTS_JOBS=number     so many mutants at a time instead of one on each core
MUTANTS_AGAIN=1         only those that survived the last time; the others keep their outcomes

survivors.toml lists the mutants that survive, with a reason each. Exit code 1 if another one survives, or if fewer than
95 % of the others are killed.
"""

import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.mutants.generated import FOLDER, PROJECT, ROOMS, Mutant, generate
from tests.mutants.outcomes import Outcomes, reasons, unused

# Those of the code in this process. Not among them: tests of programs, of files, and of time that passes in fact.
TESTS: Final = ("tests/unit", "tests/properties", "tests/integration")
LEFT_OUT: Final = (
    "tests/unit/test_asyncapi.py",
    "tests/unit/test_body_cost.py",
    "tests/unit/test_budget_import.py",
    "tests/unit/test_cost.py",
    "tests/unit/test_event_schema_is_published.py",
    "tests/unit/test_imports.py",
    "tests/unit/test_operators_program.py",
    "tests/unit/test_readme.py",
    "tests/unit/test_samples.py",
    "tests/unit/test_schema_is_published.py",
    "tests/unit/test_song_client.py",
    "tests/properties/test_crash_points_find.py",
    "tests/properties/test_explorer.py",
    "tests/properties/test_keeping_points_find.py",
    "tests/properties/test_validators_agree.py",
    "tests/integration/test_slow_services.py",
    "tests/integration/test_song_measured.py",
)


def main() -> int:
    """Returns the exit status."""
    rooms = (os.environ.get("MUTANTS") or ",".join(ROOMS)).split(",")
    jobs = int(os.environ.get("MUTANTS_JOBS") or os.cpu_count() or 1)
    # All of them are in the copy in any case, so that the measurement of the tests holds for each choice.
    mutants = [mutant for mutant in generate(ROOMS) if mutant.room in rooms]
    outcomes = Outcomes(mutants, keep=bool(os.environ.get("MUTANTS_AGAIN")))
    if missing := outcomes.missing():
        _run(missing, jobs, outcomes)
    known = reasons()
    verdict, is_good = outcomes.verdict(known)
    _show(verdict)
    if set(rooms) == set(ROOMS):
        for reason in unused(outcomes.found, mutants, known):
            _show(f"\nno survivor any more: {reason}")
    return 0 if is_good else 1


def _run(mutants: Sequence[Mutant], jobs: int, outcomes: Outcomes) -> None:
    # The mutated copy, in place of the package.
    sys.path.insert(0, str(FOLDER))
    from tests.mutants import plugin  # noqa: PLC0415

    arguments = [*TESTS, *(f"--ignore={path}" for path in LEFT_OUT), "-q", "-o", f"pythonpath={_python_path()}"]
    options = [
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        f"--basetemp={FOLDER / 'tests'}",
    ]
    status = pytest.main([*arguments, *options], plugins=[plugin.Mutants(mutants, jobs, outcomes.add)])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit(int(status))


def _python_path() -> str:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    paths = declared["tool"]["pytest"]["ini_options"]["pythonpath"]
    return " ".join(FOLDER.name if path == "layers/song_intake" else path for path in paths)


def _show(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    os.chdir(Path(PROJECT))
    sys.exit(main())
