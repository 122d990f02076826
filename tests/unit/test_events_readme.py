"""The examples and tables of events/README.md: each block is read by what would run it, each table is the code's."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern
from samtranslator.yaml_helper import yaml_parse

from song_intake.contract.song_request import SongRequest
from song_intake.domain.reason import Reason
from song_intake.outgoing.events import EventType
from tests.documents import Block, blocks_of, calls_of, rows_of, section_of
from tests.local import aws_cli
from tests.local.contract import PROJECT, errors_in, fields_of_events, published
from tests.template.transformed import shipped

PLACE = PROJECT / "events/README.md"
README = PLACE.read_text(encoding="utf-8")
BLOCKS = blocks_of(README)
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
OF_EVERY_EVENT = {"version", "id", "status", "metadata", "clips"}
TEMPLATES = sorted(path.parent.name for path in PROJECT.glob("events/examples/*/template.yaml"))
Call = list[str]


def of(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """What the commands of all shell blocks call, in order."""
    return calls_of("\n".join(block.code for block in of("sh")), tmp_path_factory.mktemp("calls"))


def test_every_block_is_of_a_language_that_is_checked() -> None:
    assert {block.language for block in BLOCKS} == {"json", "python", "sh"}
    assert README.count("```") == 2 * len(BLOCKS)
    assert len(README.splitlines()) <= 270


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_a_block_of_json_is_a_request_or_the_pattern_of_a_rule(block: Block) -> None:
    value = json.loads(block.code)
    if "source" not in value:
        assert SongRequest.parse(block.code, "message-1").create_body
        assert errors_in("song_request", value) == []
        return
    samples = [json.loads(path.read_text(encoding="utf-8")) for path in (PROJECT / "events/published").iterdir()]
    matched = {one["detail-type"] for one in samples if EventPattern.load(block.code).matches_event(one)}
    assert matched == set(value["detail-type"])


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_a_block_of_python_compiles(block: Block) -> None:
    """tests/end_to_end/test_examples.py runs them."""
    compile(block.code, block.heading, "exec")


@pytest.mark.parametrize("block", blocks_of((PROJECT / "README.md").read_text(encoding="utf-8")), ids=str)
def test_a_block_of_the_front_page_is_written_in_its_language(block: Block) -> None:
    match block.language:
        case "json":
            json.loads(block.code)
        case "python":
            compile(block.code, block.heading, "exec")
        case "sh":
            subprocess.run(["/bin/bash", "-n", "-c", block.code], check=True, timeout=30)
        case "yaml":
            assert yaml_parse(block.code)
        case _:
            pytest.fail(f"nothing reads {block.language}")


def test_every_command_of_the_aws_cli_exists_with_its_options(
    calls: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    commands = [aws_cli.read(call[1:]) for call in calls if call[0] == "aws"]
    assert {"send_message", "get_item"} <= {command.operation for command in commands}
    with pytest.raises(aws_cli.NoSuchCommand):
        aws_cli.read(["sqs", "send-message", "--queue-url", "u", "--message-body", "b", "--delay", "1"])


def test_every_command_of_make_and_sam_exists(calls: list[Call]) -> None:
    for call in calls:
        match call:
            case ["make", target, *variables]:
                assert re.search(rf"^{target}:", MAKEFILE, flags=re.MULTILINE), target
                values = re.search(r"^OPERATORS_VALUES := (.*)$", MAKEFILE, flags=re.MULTILINE)
                assert values
                assert {variable.partition("=")[0] for variable in variables} <= set(values[1].split())
            case ["sam", "local", "invoke", function, "--event", event, "--env-vars", _settings]:
                assert shipped()["Resources"][function]["Type"] == "AWS::Serverless::Function"
                assert (PROJECT / event).exists()
            case [program, *_]:
                assert program == "aws" or call == ["sam", "build"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_example_is_linked_and_says_how_it_is_deployed(name: str) -> None:
    """`make lint` runs cfn-lint on each."""
    assert f"](examples/{name}" in README
    place = f"events/examples/{name}/template.yaml"
    head = (PROJECT / place).read_text(encoding="utf-8").partition("\nAWSTemplateFormatVersion")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert place in head


def test_the_tables_of_fields_have_every_field_of_the_schema() -> None:
    rows = [*rows_of(section_of(README, "Send a request"))]
    assert sorted(name for row in rows for name in codes(row[0])) == sorted(published("song_request")["properties"])


def test_the_table_of_events_is_that_of_the_schema() -> None:
    stated = {
        EventType(row[0].strip("`")).name: tuple(set(codes(cell)) for cell in row[1:])
        for row in rows_of(section_of(README, "Consume events"))
    }
    assert stated == {
        status: (always - OF_EVERY_EVENT, sometimes - {"trace_id"}, reasons)
        for status, (always, sometimes, reasons) in fields_of_events().items()
    }
    assert list(stated) == [event_type.name for event_type in EventType]
    assert {reason for *_, reasons in stated.values() for reason in reasons} <= set(Reason)


def test_the_parameters_of_senders_exist() -> None:
    rows = rows_of(section_of(README, "Who may send"))
    named = {name for row in rows for name in codes(row[1]) if name.startswith("Sender")}
    assert named <= {*shipped()["Parameters"], *shipped()["Outputs"]}
    assert len(named) == 4


def test_keep_days_are_those_of_the_template() -> None:
    assert f"`KeepDays` ({shipped()['Parameters']['KeepDays']['Default']})" in README


def test_every_type_of_event_has_a_sample() -> None:
    samples: list[dict[str, Any]] = [
        json.loads(Path(path).read_text(encoding="utf-8")) for path in (PROJECT / "events/published").iterdir()
    ]
    assert sorted(sample["detail-type"] for sample in samples) == sorted(EventType)


def codes(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)
