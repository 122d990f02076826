"""`make resolve` up to its call of the stack. The test of the run in a terminal calls a stack."""

import subprocess

import pytest

from song_intake.commands.resolve import main
from tests.local.cloud.cloud import PROJECT


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
    ],
)
def test_incomplete_or_contradictory_options_are_rejected_before_any_call(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as rejected:
        main(arguments)
    assert rejected.value.code == 2


@pytest.mark.parametrize(
    ("typed", "passed"),
    [
        (["LIST=1"], "s --list"),
        (["REQUEST=-order:1", "TASK=d8b5"], "s --request='-order:1' --task='d8b5'"),
        (["REQUEST=r", "NOT_CREATED=1"], "s --request='r' --not-created"),
        (["REQUEST=r", "NOT_CREATED=0"], "s --request='r'"),
        (["REQUEST=r", "TASK=t", "NOT_CREATED=1"], "s --request='r' --task='t' --not-created"),
    ],
)
def test_make_passes_exactly_the_typed_options(typed: list[str], passed: str) -> None:
    command = ["make", "--no-print-directory", "--dry-run", "resolve", "STACK=s", *typed]
    shown = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    _, _, arguments = shown.replace("\\\n", " ").partition("song_intake.commands.resolve ")
    assert " ".join(arguments.split()) == passed
