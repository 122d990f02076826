"""`make resolve` up to its call of the stack. The test of the run in a terminal calls a stack."""

from pathlib import Path

import pytest

from song_intake.commands.resolve import main
from tests.local.run.operator_make import OperatorMake

SPAN = ["--since=2026-07-01T09:00:00Z", "--until=1782900000", "--reason=OUTCOME_UNKNOWN"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["stack"],
        ["stack", "--request=r"],
        ["stack", "--task=t"],
        ["stack", "--not-created"],
        ["stack", "--request=r", "--task=t", "--not-created"],
        ["stack", "--request=r", "--list"],
        ["stack", "--list", "--yes"],
        ["stack", *SPAN],
        ["stack", *SPAN, "--task=t"],
        ["stack", *SPAN, "--list"],
        ["stack", *SPAN, "--not-created", "--request=r"],
        ["stack", *SPAN[:2], "--not-created"],
        ["stack", *SPAN[1:], "--not-created"],
        ["stack", SPAN[0], SPAN[2], "--not-created"],
        ["stack", "--request=r", "--not-created", "--yes"],
        ["stack", "--since=2", "--until=2", "--reason=OUTCOME_UNKNOWN", "--not-created"],
        ["stack", "--list=", "--request=", "--task=", "--not-created=", "--since=", "--until=", "--reason=", "--yes="],
    ],
)
def test_incomplete_or_contradictory_options_are_rejected_before_any_call(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as rejected:
        main(arguments)
    assert rejected.value.code == 2


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *[(flag, value) for flag in ("--list", "--not-created", "--yes") for value in ("0", "no", "11", "1 1", "true")],
        *[("--since", value) for value in ("yesterday", "2026-07-01T09:00:00", "2026-07-01T09:00:00+02:00", "nan")],
        ("--until", "inf"),
        ("--reason", "outcome_unknown"),
        *[("--request", value) for value in ("#intake", "a b", "a\n", "a" * 129)],
    ],
)
def test_a_wrong_value_is_rejected_by_name_before_any_call(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as rejected:
        main(["stack", f"{option}={value}"])
    assert rejected.value.code == 2
    (error,) = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert option in error
    assert repr(value) in error


@pytest.mark.parametrize(
    "typed",
    [
        {"LIST": "1"},
        {"REQUEST": "-order:1", "TASK": "d8b5"},
        {"REQUEST": "r", "NOT_CREATED": "0"},
        {"SINCE": "2026-07-01T09:00:00Z", "UNTIL": "2", "REASON": "UNKNOWN", "NOT_CREATED": "1", "YES": "1"},
    ],
)
def test_make_passes_exactly_the_typed_values(tmp_path: Path, typed: dict[str, str]) -> None:
    texts = [f"{name}={value}" for name, value in typed.items()]
    module, command, *arguments = OperatorMake(tmp_path).arguments("resolve", "STACK=s", *texts)
    assert (module, command) == ("-m", "song_intake.commands.resolve")
    *options, end_of_options, stack = arguments
    assert (end_of_options, stack) == ("--", "s")
    given = dict(option.removeprefix("--").split("=", 1) for option in options)
    assert {name.upper().replace("-", "_"): value for name, value in given.items() if value} == typed
