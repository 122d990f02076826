"""Every code block of the documents is parsed, and the commands, options and outputs that it names exist.

The end-to-end tests run those of callers (test_readme.py), and the commands (test_operators.py, test_doctor.py).
"""

import ast
import itertools
import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence

import click
import pytest
from click.testing import CliRunner
from samtranslator.yaml_helper import yaml_parse

from song_intake.commands.__main__ import program
from song_intake.contract.song_request import SongRequest
from song_intake.outgoing.events import EventType
from tests.documents import Block, blocks_of
from tests.local import aws_cli
from tests.template.transformed import PROJECT, shipped
from tests.unit.test_readme import DOCUMENTS, text_of

MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
OUTPUTS = shipped()["Outputs"]


SNIPPETS = [(document, block) for document in DOCUMENTS for block in blocks_of(text_of(document))]


def of(*languages: str) -> pytest.MarkDecorator:
    chosen = [(document, block) for document, block in SNIPPETS if block.language in languages]
    names = [f"{document}, {block}" for document, block in chosen]
    return pytest.mark.parametrize("snippet", [block for _, block in chosen], ids=names)


def test_every_language_has_its_check_below() -> None:
    """A block without a language is an output or a list of files."""
    assert {block.language for _, block in SNIPPETS} <= {"sh", "python", "json", "yaml", "hcl", "ts"}


@of("python")
def test_python_compiles(snippet: Block) -> None:
    ast.parse(snippet.code)


@of("json")
def test_json_is_a_request_if_it_has_a_sound(snippet: Block) -> None:
    body = json.loads(snippet.code)
    if "sound" in body:
        SongRequest.parse(snippet.code, "message-1")


@of("yaml")
def test_yaml_names_types_of_events_and_outputs_that_exist(snippet: Block) -> None:
    yaml_parse(snippet.code)
    named = {name for types in re.findall(r"detail-type: \[(Song [^]]+)\]", snippet.code) for name in types.split(", ")}
    assert named - {*EventType, "Song Wanted"} == set()


@of("sh")
def test_a_shell_parses_it(snippet: Block) -> None:
    subprocess.run(["/bin/bash", "-n"], input=snippet.code, text=True, check=True, timeout=10)


@of("sh")
def test_it_reads_outputs_of_the_stack(snippet: Block) -> None:
    assert set(re.findall(r"\$\(output (\w+)\)", snippet.code)) <= OUTPUTS.keys()


@of("sh")
def test_its_commands_of_the_aws_cli_exist_with_their_options(snippet: Block) -> None:
    for words in commands_in(snippet.code, "aws"):
        command = itertools.takewhile(lambda word: word not in {"|", ">", "}"}, words)
        # The files that it names are the reader's own, or tested in tests/unit/test_samples.py.
        aws_cli.read(["{}" if word.startswith("file://") else word.removesuffix(";") for word in command])


@pytest.fixture
def idle_program(monkeypatch: pytest.MonkeyPatch) -> click.Group:
    """The operators' program, with commands that read their words and do nothing."""
    for command in all_commands(program):
        monkeypatch.setattr(command, "callback", None)
    return program


def all_commands(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from all_commands(command)


@of("sh")
def test_its_make_targets_and_their_variables_exist(snippet: Block, idle_program: click.Group) -> None:
    for words in commands_in(snippet.code, "make"):
        target, *variables = (word for word in words if not word.startswith("-"))
        assert re.search(rf"^{re.escape(target)}:", MAKEFILE, flags=re.MULTILINE), target
        for name, _, value in (word.partition("=") for word in variables):
            assert re.search(rf"\b{name}\b", MAKEFILE), name
            if name == "ARGS":
                assert_understood(idle_program, shlex.split(value))


@of("sh")
def test_its_operators_commands_exist_with_their_options(snippet: Block, idle_program: click.Group) -> None:
    for words in commands_in(snippet.code, "song_intake.commands"):
        assert_understood(idle_program, words)


def commands_in(code: str, name: str) -> Iterator[list[str]]:
    """The words behind each call of a program, up to the end of its line."""
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True) if name in line else []
        if name in words:
            yield words[words.index(name) + 1 :]


def assert_understood(idle_program: click.Group, arguments: Sequence[str]) -> None:
    result = CliRunner().invoke(idle_program, list(arguments))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("wrong", ["lst --status IN_DOUBT", "list --stats IN_DOUBT", "letters discrad x", "show"])
def test_a_command_an_option_or_an_argument_that_is_wrong_is_found(wrong: str, idle_program: click.Group) -> None:
    with pytest.raises(AssertionError):
        assert_understood(idle_program, ["--stack", "songs", *wrong.split()])
