"""`make intake` up to its call of the stack. The test of a pause, in tests/end_to_end, calls a stack."""

import subprocess

import pytest

from song_intake.commands.intake import main
from tests.local.cloud.cloud import PROJECT


@pytest.mark.parametrize("arguments", [[], ["stack", "--off", "--on"], ["stack", "--of"], ["stack", "off"]])
def test_wrong_options_are_rejected_before_any_call(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as rejected:
        main(arguments)
    assert rejected.value.code == 2


@pytest.mark.parametrize(
    ("typed", "passed"), [([], "s"), (["OFF=1"], "s --off"), (["ON=1"], "s --on"), (["ON=0"], "s")]
)
def test_make_passes_exactly_the_typed_options(typed: list[str], passed: str) -> None:
    command = ["make", "--no-print-directory", "--dry-run", "intake", "STACK=s", *typed]
    shown = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    _, _, arguments = shown.replace("\\\n", " ").partition("song_intake.commands.intake ")
    assert " ".join(arguments.split()) == passed
