"""`make cancel` up to its call of the stack. The test of the run in a terminal calls a stack."""

from pathlib import Path

import pytest

from song_intake.commands.cancel import main
from tests.local.run.operator_make import OperatorMake


@pytest.mark.parametrize(
    "arguments",
    [[], ["stack"], ["stack", "--request="], ["stack", "--request=#intake"], ["stack", "--request=r", "--list"]],
)
def test_a_command_without_one_request_is_rejected_before_any_call(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as rejected:
        main(arguments)
    assert rejected.value.code == 2


def test_make_passes_exactly_the_typed_values(tmp_path: Path) -> None:
    arguments = OperatorMake(tmp_path).arguments("cancel", "STACK=s", "REQUEST=-order:1", "BY=Ada L.")
    assert arguments == ["-m", "song_intake.commands.cancel", "--request=-order:1", "--by=Ada L.", "--", "s"]
