"""`make intake` up to its call of the stack. The test of a pause, in tests/end_to_end, calls a stack."""

from pathlib import Path

import pytest

from song_intake.commands.intake import main
from tests.local.run.operator_make import OperatorMake


@pytest.mark.parametrize(
    "arguments",
    [[], ["stack", "--off", "--on"], ["stack", "--off=1", "--on=1"], ["stack", "--of"], ["stack", "off"]],
)
def test_wrong_options_are_rejected_before_any_call(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as rejected:
        main(arguments)
    assert rejected.value.code == 2


@pytest.mark.parametrize("option", ["--off", "--on"])
@pytest.mark.parametrize("value", ["0", "off", "yes", " 1"])
def test_a_flag_that_is_neither_1_nor_empty_is_rejected_by_name(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as rejected:
        main([f"{option}={value}", "--", "stack"])
    assert rejected.value.code == 2
    assert f"{option}: use 1 or no value, not {value!r}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "passed"),
    [
        ([], ["--off=", "--on="]),
        (["OFF=1"], ["--off=1", "--on="]),
        (["ON=1"], ["--off=", "--on=1"]),
        (["ON=0"], ["--off=", "--on=0"]),
    ],
)
def test_make_passes_exactly_the_typed_values(tmp_path: Path, typed: list[str], passed: list[str]) -> None:
    arguments = OperatorMake(tmp_path).arguments("intake", "STACK=s", *typed)
    assert arguments == ["-m", "song_intake.commands.intake", *passed, "--", "s"]
