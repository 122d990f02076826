"""The operators' make targets pass every value exactly as it was typed, and execute no part of it."""

from pathlib import Path

import pytest

from tests.local.run.operator_make import OperatorMake

VALUES_OF = {
    "doctor": ("STACK", "PAID"),
    "redrive": ("STACK", "REASON", "LIMIT", "OLDER", "DRY_RUN"),
    "intake": ("STACK", "OFF", "ON"),
    "usage": ("STACK", "DAY"),
    "cancel": ("STACK", "REQUEST", "BY"),
    "resolve": ("STACK", "REQUEST", "TASK", "LIST", "NOT_CREATED", "SINCE", "UNTIL", "REASON", "YES"),
}
EXECUTING = (
    "$(shell touch {})",
    "${{shell touch {}}}",
    "$(touch {})",
    "`touch {}`",
    "'; touch {}; '",
    '"; touch {}; "',
)


@pytest.fixture
def make(tmp_path: Path) -> OperatorMake:
    return OperatorMake(tmp_path)


@pytest.mark.parametrize("template", EXECUTING)
@pytest.mark.parametrize("target", VALUES_OF)
def test_a_command_in_a_value_is_passed_but_not_executed(
    make: OperatorMake, tmp_path: Path, target: str, template: str
) -> None:
    """Every value of the target has its own command, typed after `make` or exported by the shell."""
    typed = {name: template.format(tmp_path / name) for name in VALUES_OF[target]}
    after_make = make.arguments(target, *(f"{name}={value}" for name, value in typed.items()))
    for arguments in (after_make, make.arguments(target, **typed)):
        for name, value in typed.items():
            assert value in arguments or f"--{name.lower().replace('_', '-')}={value}" in arguments, name
    assert not [name for name in typed if (tmp_path / name).exists()]


def test_a_stack_that_is_not_named_is_the_one_that_the_readme_deploys(make: OperatorMake) -> None:
    assert make.arguments("redrive") == [
        "-m",
        "song_intake.commands.redrive",
        "--reason=",
        "--limit=",
        "--older=",
        "--dry-run=",
        "--",
        "song-intake",
    ]
