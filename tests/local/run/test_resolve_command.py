"""`make resolve` before it reaches the stack: what is said is what was typed. The run's own test says it to a stack."""

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
def test_half_a_word_or_two_at_once_are_refused_before_anything_is_called(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["LIST=1"], "s --list"),
        (["REQUEST=-order:1", "TASK=d8b5"], "s --request='-order:1' --task='d8b5'"),
        (["REQUEST=r", "NOT_CREATED=1"], "s --request='r' --not-created"),
        (["REQUEST=r", "NOT_CREATED=0"], "s --request='r'"),
        (["REQUEST=r", "TASK=t", "NOT_CREATED=1"], "s --request='r' --task='t' --not-created"),
    ],
)
def test_make_hands_on_just_what_was_typed(typed: list[str], said: str) -> None:
    command = ["make", "--no-print-directory", "--dry-run", "resolve", "STACK=s", *typed]
    shown = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    _, _, arguments = shown.replace("\\\n", " ").partition("song_intake.commands.resolve ")
    assert " ".join(arguments.split()) == said
