"""The operators' make targets pass every value exactly as it was typed, and execute no part of it."""

import subprocess
from pathlib import Path

import pytest

from tests.local.run.operator_make import OperatorMake

# By the target: its variables with values, and its flags.
VALUES_OF = {
    "doctor": (("STACK",), ("PAID",)),
    "redrive": (("STACK", "REASON", "LIMIT", "OLDER"), ("DRY_RUN",)),
    "intake": (("STACK",), ("OFF", "ON")),
    "resolve": (("STACK", "REQUEST", "TASK", "SINCE", "UNTIL", "REASON"), ("NOT_CREATED", "YES")),
    "cancel": (("STACK", "REQUEST", "BY"), ("YES",)),
    "usage": (("STACK", "DAY"), ()),
    "ops": (("STACK", "ARGS"), ()),
}
EXECUTING = (
    "$(shell touch {})",
    "${{shell touch {}}}",
    "$(touch {})",
    "`touch {}`",
    "'; touch {}; '",
    '"; touch {}; "',
)
PASSED = [
    ("doctor", [], ["doctor"]),
    ("doctor", ["PAID=1"], ["doctor", "--paid"]),
    ("redrive", [], ["redrive"]),
    (
        "redrive",
        ["REASON=REFUSED", "LIMIT=9", "OLDER=2", "DRY_RUN=1"],
        ["redrive", "--reason=REFUSED", "--limit=9", "--older=2", "--dry-run"],
    ),
    ("intake", [], ["intake"]),
    ("intake", ["OFF=1"], ["intake", "off"]),
    ("intake", ["ON=1"], ["intake", "on"]),
    ("resolve", ["LIST=1"], ["list", "--status=IN_DOUBT"]),
    ("resolve", ["REQUEST=-order:1", "TASK=d8b5"], ["resolve", "--task=d8b5", "--", "-order:1"]),
    ("resolve", ["REQUEST=r", "NOT_CREATED=1", "YES=1"], ["resolve", "--not-created", "--yes", "--", "r"]),
    (
        "resolve",
        ["SINCE=2026-07-01T09:00:00Z", "UNTIL=2", "REASON=OUTCOME_UNKNOWN", "NOT_CREATED=1"],
        ["resolve", "--not-created", "--since=2026-07-01T09:00:00Z", "--until=2", "--reason=OUTCOME_UNKNOWN"],
    ),
    ("cancel", ["REQUEST=-order:1", "BY=Ada L."], ["cancel", "--by=Ada L.", "--", "-order:1"]),
    ("usage", [], ["usage"]),
    ("usage", ["DAY=2026-07-01"], ["usage", "--day=2026-07-01"]),
    ("ops", ["ARGS=show 'a b' --json"], ["--words", "show 'a b' --json"]),
]


@pytest.fixture
def make(tmp_path: Path) -> OperatorMake:
    return OperatorMake(tmp_path)


@pytest.mark.parametrize("template", EXECUTING)
@pytest.mark.parametrize("target", VALUES_OF)
def test_a_command_in_a_value_is_passed_but_not_executed(
    make: OperatorMake, tmp_path: Path, target: str, template: str
) -> None:
    """Every value of the target has its own command, typed after `make` or exported by the shell."""
    typed = {name: template.format(tmp_path / name) for name in VALUES_OF[target][0]}
    after_make = make.arguments(target, *(f"{name}={value}" for name, value in typed.items()))
    for arguments in (after_make, make.arguments(target, **typed)):
        for name, value in typed.items():
            assert value in arguments or f"--{name.lower().replace('_', '-')}={value}" in arguments, name
    assert not [name for name in typed if (tmp_path / name).exists()]


@pytest.mark.parametrize(("target", "typed", "passed"), PASSED)
def test_make_passes_exactly_the_typed_values(
    make: OperatorMake, target: str, typed: list[str], passed: list[str]
) -> None:
    assert make.arguments(target, "STACK=s", *typed) == ["-m", "song_intake.commands", "--stack=s", *passed]


@pytest.mark.parametrize(
    ("target", "flag"), [(target, flag) for target, (_, flags) in VALUES_OF.items() for flag in flags]
)
def test_a_flag_that_is_neither_1_nor_empty_is_an_error_and_not_executed(
    make: OperatorMake, tmp_path: Path, target: str, flag: str
) -> None:
    for value in (
        "0",
        "no",
        "11",
        "1 1",
        EXECUTING[2].format(tmp_path / flag),
        EXECUTING[5].format(tmp_path / flag),
    ):
        with pytest.raises(subprocess.CalledProcessError) as failed:
            make.arguments(target, "STACK=s", f"{flag}={value}")
        assert f"{flag}: use 1 or no value".encode() in failed.value.stderr
    assert not (tmp_path / flag).exists()
    assert make.arguments(target, "STACK=s", f"{flag}=")[-1] in (target, "--stack=s")


@pytest.mark.parametrize("target", [target for target in VALUES_OF if target != "ops"])
def test_no_target_has_a_default_stack_since_a_typo_would_act_on_another(make: OperatorMake, target: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        make.arguments(target, "STCK=x")
    assert f"name the stack: make {target} STACK=...".encode() in failed.value.stderr
