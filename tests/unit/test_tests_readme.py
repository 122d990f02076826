"""tests/README.md has a row for every folder of tests, and one for every target of make that checks something."""

import re
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parents[1]
README: Final = (TESTS / "README.md").read_text(encoding="utf-8")
MAKEFILE: Final = (TESTS.parent / "Makefile").read_text(encoding="utf-8")
ROWS: Final = [line for line in README.splitlines() if line.startswith("| ")]
# They start, operate, build or remove something.
NO_CHECKS: Final = {
    *("help", "run", "build", "pins", "clean"),
    *("ops", "doctor", "redrive", "resolve", "cancel", "intake", "usage"),
}


def test_every_folder_has_a_row() -> None:
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {name for name in folders if f"| [{name}]({name}) |" not in README} == set()
    linked = set(re.findall(r"^\| \[(\w+)\]", README, flags=re.MULTILINE))
    assert linked - folders == set(), "a row has no folder"


def test_every_target_that_checks_something_has_a_row() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, flags=re.MULTILINE))
    shown = {name for row in ROWS for name in re.findall(r"`make ([a-z-]+)`", row)}
    assert targets - NO_CHECKS - shown == set()
    assert shown - targets - {"tests", "run"} == set(), "a row has no target"


def test_every_file_that_it_names_is_there() -> None:
    # Without its link, a file is named from this folder, or as the code has it.
    names = {name for name in re.findall(r"`([a-z_/]+\.(?:py|toml|yaml))`", README) if "/" in name}
    assert {name for name in names if not (TESTS / name).exists() and not (TESTS.parent / name).exists()} == set()
