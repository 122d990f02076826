"""The arrows of the design run one way, and a module stays as long as a reader can follow."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "song_intake" / "song_intake"
HANDLERS = sorted((ROOT / "functions").glob("*/*.py"))

LINES_OF_A_MODULE = 250
LINES_OF_A_HANDLER = 60

# From the values up. A module imports from the rows above its own, and from its own row only among values.
LAYERS = (
    {
        "backoff",
        "circuit_breaker",
        "cold_start",
        "contract",
        "create_answer",
        "credits_answer",
        "deadline",
        "decision",
        "envelopes",
        "environment",
        "intake_position",
        "lambda_clock",
        "ledger_row",
        "message",
        "outcome",
        "pace",
        "reason",
        "request_errors",
        "resolve_settings",
        "settings",
        "song_request",
        "strict_json",
        "switch_settings",
        "task_answer",
        "task_state",
        "track_settings",
        "undone",
        "webhook",
        "webhook_settings",
    },
    {"aws_failure", "aws_transport", "group_commit"},
    {
        "account_fault",
        "announcements",
        "api_token",
        "aws_clients",
        "dead_letters",
        "intake_mapping",
        "ledger_table",
        "music_api",
        "song_checks",
        "telemetry",
        "webhook_keys",
    },
    {"ledger_statements", "ledger_values"},
    {"account", "callback", "intake_memory", "ledger", "our_webhook", "pace_table", "redrive", "resolve"},
    {"intake", "ledger_following", "ledger_resolving", "slots", "standing", "telling"},
    {"pacer"},
    {"intake_switch", "resolution", "submission", "tracking", "webhook_reception"},
    {"batch", "webhook_event"},
    {"check_work", "request_work", "wiring"},
)
VALUES = LAYERS[0]
# What reaches out of the process: a value does not.
REACHING_OUT = {"boto3", "botocore", "requests", "socket", "ssl", "urllib3", "aws_lambda_powertools"}


def imported(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, whole and dotted, those for the type checker among them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module="song_intake", names=names):
                yield from (f"song_intake.{name.name}" for name in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module
            case ast.ImportFrom():
                raise AssertionError(f"{path.name} has a relative import")


def imported_of_ours(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("song_intake.")}


def modules() -> dict[str, Path]:
    return {path.stem: path for path in sorted(PACKAGE.glob("*.py")) if path.stem != "__init__"}


def layer_of(module: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if module in layer)


def test_every_module_has_its_place() -> None:
    assert sorted(modules()) == sorted(module for layer in LAYERS for module in layer)


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_from_the_layers_below_it_alone(module: str) -> None:
    allowed = VALUES.union(*LAYERS[: layer_of(module)])
    assert imported_of_ours(modules()[module]) <= allowed


def test_no_modules_import_each_other() -> None:
    TopologicalSorter({module: imported_of_ours(path) for module, path in modules().items()}).prepare()


# The socket that a deadline rules is handed to it; it opens none.
@pytest.mark.parametrize("module", sorted(VALUES - {"deadline"}))
def test_a_value_does_not_reach_out_of_the_process(module: str) -> None:
    assert not {name.split(".")[0] for name in imported(modules()[module])} & REACHING_OUT


@pytest.mark.parametrize("module", modules())
def test_the_package_knows_no_handler_and_no_test(module: str) -> None:
    outside = {path.stem for path in HANDLERS} | {"functions", "tests"}
    assert not {name.split(".")[0] for name in imported(modules()[module])} & outside


@pytest.mark.parametrize("module", modules())
def test_only_the_settings_read_the_environment(module: str) -> None:
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    read = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not read & {"environ", "getenv"}


@pytest.mark.parametrize("path", [*modules().values(), *HANDLERS], ids=lambda path: path.stem)
def test_a_module_is_short_enough_to_be_read(path: Path) -> None:
    most = LINES_OF_A_HANDLER if path in HANDLERS else LINES_OF_A_MODULE - 1
    assert len(path.read_text(encoding="utf-8").splitlines()) <= most


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.stem)
def test_a_handler_imports_what_speeds_its_start_before_anything_that_takes_long(path: Path) -> None:
    names = [name for name in imported(path) if name not in sys.stdlib_module_names]
    assert names[0] == "song_intake.cold_start"


def test_there_are_handlers_and_each_is_named_as_its_folder() -> None:
    assert len(HANDLERS) == 5
    assert all(path.stem == path.parent.name for path in HANDLERS)
