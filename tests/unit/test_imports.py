"""The rooms of the package: who may import whom, and what a reader may rely on in each."""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "song_intake" / "song_intake"
HANDLERS = sorted((ROOT / "functions").glob("*/*.py"))

# From the ground up: a room imports itself and the rooms before it. Operators' commands may import every room, and no
# room imports them.
ROOMS = ("domain", "aws", "contract", "music_api", "recordings", "ledger", "outgoing", "admission", "work", "app")
COMMANDS = "commands"

# Modules that only compute: they use no network, clock service or disk beyond their own schema.
PURE_ROOMS = ("domain", "contract")
REACHING_OUT = {"boto3", "botocore", "requests", "socket", "ssl", "urllib3", "aws_lambda_powertools"}

LINES_OF_A_MODULE = 250
LINES_OF_A_HANDLER = 60
LINES_OF_A_FUNCTION = 40


def modules() -> dict[str, Path]:
    """Every module by its dotted name, packages left out."""
    return {
        f"{path.parent.name}.{path.stem}": path for path in sorted(PACKAGE.glob("*/*.py")) if path.stem != "__init__"
    }


MODULES = modules()


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, by its dotted name; imports for the type checker count too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                is_room = module.startswith("song_intake.") and module.count(".") == 1
                yield from (f"{module}.{name.name}" for name in names) if is_room else [module]
            case ast.ImportFrom():
                raise AssertionError(f"{path.name} has a relative import")


def imported_modules(path: Path) -> set[str]:
    """The modules of the package that a file imports."""
    return {name.removeprefix("song_intake.") for name in imported(path) if name.startswith("song_intake.")}


def test_the_package_is_made_of_its_rooms_only() -> None:
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"} == {*ROOMS, COMMANDS}
    assert [path.name for path in PACKAGE.glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_its_own_room_and_those_before_it(module: str) -> None:
    room = module.split(".", maxsplit=1)[0]
    allowed = {*ROOMS, COMMANDS} if room == COMMANDS else {*ROOMS[: ROOMS.index(room) + 1]}
    assert {name.split(".")[0] for name in imported_modules(MODULES[module])} <= allowed


def test_no_modules_import_each_other() -> None:
    TopologicalSorter({module: imported_modules(path) for module, path in MODULES.items()}).prepare()


@pytest.mark.parametrize("room", [*ROOMS, COMMANDS])
def test_a_room_is_described_in_one_line(room: str) -> None:
    (line,) = (PACKAGE / room / "__init__.py").read_text(encoding="utf-8").splitlines()
    (docstring,) = ast.parse(line).body
    assert isinstance(docstring, ast.Expr)


@pytest.mark.parametrize("module", [name for name in MODULES if name.split(".")[0] in PURE_ROOMS])
def test_a_pure_module_does_not_reach_out_of_the_process(module: str) -> None:
    assert not {name.split(".")[0] for name in imported(MODULES[module])} & REACHING_OUT


@pytest.mark.parametrize("module", MODULES)
def test_the_package_imports_no_handler_and_no_test(module: str) -> None:
    outside = {path.stem for path in HANDLERS} | {"functions", "tests"}
    assert not {name.split(".")[0] for name in imported(MODULES[module])} & outside


@pytest.mark.parametrize("module", MODULES)
def test_only_a_handler_reads_the_environment(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    read = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not read & {"environ", "getenv"}


def test_public_names_are_unique() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for module, path in MODULES.items():
        for name in public_names(path):
            homes[name].append(module)
    # Each command is a program with a main function of its own.
    assert {name: found for name, found in homes.items() if len(found) > 1 and name != "main"} == {}


def public_names(path: Path) -> Iterator[str]:
    """What a module defines at its top level for others: functions, classes, constants, type aliases."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names = [name]
            case ast.Assign(targets=targets, value=value) if not _is_type_variable(value):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case _:
                names = []
        yield from (name for name in names if not name.startswith("_"))


def _is_type_variable(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "TypeVar"


@pytest.mark.parametrize("path", [*MODULES.values(), *HANDLERS], ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_a_module_is_short_enough_to_be_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= (LINES_OF_A_HANDLER if path in HANDLERS else LINES_OF_A_MODULE - 1)
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= LINES_OF_A_FUNCTION] == []


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.stem)
def test_a_handler_first_imports_what_speeds_its_start(path: Path) -> None:
    names = [name for name in imported(path) if name not in sys.stdlib_module_names]
    assert names[0] == "song_intake.app.cold_start"


def test_there_are_handlers_and_each_is_named_as_its_folder() -> None:
    assert len(HANDLERS) == 7
    assert all(path.stem == path.parent.name for path in HANDLERS)
