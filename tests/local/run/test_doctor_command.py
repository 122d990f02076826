"""`make doctor` up to its checks. tests/end_to_end/test_doctor.py runs these on a stack."""

import subprocess
from pathlib import Path

import pytest

from song_intake.commands.doctor import main
from tests.local.run.operator_make import OperatorMake


@pytest.mark.parametrize("arguments", [[], ["--", ""], ["stack", "paid"], ["stack", "--pai"]])
def test_wrong_options_are_rejected_before_any_call(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as rejected:
        main(arguments)
    assert rejected.value.code == 2


@pytest.mark.parametrize("value", ["0", "yes", "true", "11", " 1"])
def test_paid_is_1_or_empty(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as rejected:
        main([f"--paid={value}", "--", "stack"])
    assert rejected.value.code == 2
    assert f"--paid: use 1 or no value, not {value!r}" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "passed"), [([], "--paid="), (["PAID=1"], "--paid=1"), (["PAID=0"], "--paid=0")])
def test_make_passes_exactly_the_typed_values(tmp_path: Path, typed: list[str], passed: str) -> None:
    arguments = OperatorMake(tmp_path).arguments("doctor", "STACK=s", *typed)
    assert arguments == ["-m", "song_intake.commands.doctor", passed, "--", "s"]


def test_make_requires_the_name_of_the_stack(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        OperatorMake(tmp_path).arguments("doctor")
    assert b"name the stack: make doctor STACK=..." in failed.value.stderr
