"""What is written on the queue of checks is what is read from it."""

import json
from dataclasses import asdict, replace

import pytest

from song_intake.song_checks import SongCheck

CHECK = SongCheck("request:1", "täsk-1", 1_700_000_000.125, no_such_task=True)


@pytest.mark.parametrize("check", [CHECK, replace(CHECK, no_such_task=False)])
def test_a_check_is_read_as_it_was_written(check: SongCheck) -> None:
    assert SongCheck.parse(json.dumps(asdict(check))) == check


@pytest.mark.parametrize("missing", ["request_id", "task_id", "since", "no_such_task"])
def test_a_body_without_one_of_its_fields_is_none_of_ours(missing: str) -> None:
    fields = {name: value for name, value in asdict(CHECK).items() if name != missing}
    with pytest.raises(KeyError):
        SongCheck.parse(json.dumps(fields))


@pytest.mark.parametrize("body", ["", "not JSON", "[]", '"text"', "null", '{"request_id": "r", "task_id": "t"}'])
def test_a_body_that_this_code_did_not_write_is_told_by_an_exception(body: str) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        SongCheck.parse(body)
