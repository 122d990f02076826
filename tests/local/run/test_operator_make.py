"""The operators' make targets pass every value exactly as it was typed, and execute no part of it."""

from pathlib import Path

import pytest

from tests.local.run.operator_make import OperatorMake

VALUES_OF = {
    "doctor": ("STACK", "PAID"),
    "redrive": ("STACK", "REASON", "LIMIT", "OLDER", "DRY_RUN"),
    "intake": ("STACK", "OFF", "ON"),
    "resolve": ("STACK", "REQUEST", "TASK", "LIST", "NOT_CREATED", "SINCE", "UNTIL", "REASON", "YES"),
}
CASES = [(target, name) for target, names in VALUES_OF.items() for name in names]
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


@pytest.mark.parametrize(("target", "name"), CASES)
def test_a_command_in_a_value_is_passed_but_not_executed(
    make: OperatorMake, tmp_path: Path, target: str, name: str, subtests: pytest.Subtests
) -> None:
    trace = tmp_path / "executed"
    for template in EXECUTING:
        with subtests.test(template):
            typed = template.format(trace)
            others = [] if name == "STACK" else ["STACK=s"]
            from_shell = make.arguments(target, *others, **{name: typed})
            for arguments in (make.arguments(target, *others, f"{name}={typed}"), from_shell):
                assert any(given in (typed, f"--{name.lower().replace('_', '-')}={typed}") for given in arguments)
            assert not trace.exists()


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
