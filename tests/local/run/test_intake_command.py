"""`make intake` before it reaches the stack. The test of a pause, in tests/end_to_end, says it to a stack."""

import subprocess

import pytest

from song_intake.commands.intake import main
from tests.local.cloud.cloud import PROJECT


@pytest.mark.parametrize("arguments", [[], ["stack", "--off", "--on"], ["stack", "--of"], ["stack", "off"]])
def test_no_word_or_two_at_once_are_refused_before_anything_is_called(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2


@pytest.mark.parametrize(("typed", "said"), [([], "s"), (["OFF=1"], "s --off"), (["ON=1"], "s --on"), (["ON=0"], "s")])
def test_make_hands_on_just_what_was_typed(typed: list[str], said: str) -> None:
    command = ["make", "--no-print-directory", "--dry-run", "intake", "STACK=s", *typed]
    shown = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    _, _, arguments = shown.replace("\\\n", " ").partition("song_intake.commands.intake ")
    assert " ".join(arguments.split()) == said
