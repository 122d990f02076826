"""Commands of the AWS CLI, read by the models of the SDK: whether they exist, and what the SDK gets."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import jmespath
from botocore import xform_name
from botocore.model import Shape, StructureShape
from botocore.session import get_session

# What the CLI adds to the operations of the services: https://docs.aws.amazon.com/cli/latest/reference/cloudformation/
CUSTOM: Final = {
    ("s3", "mb"): set[str](),
    ("s3", "cp"): set[str](),
    ("s3", "rb"): {"--force"},
    ("cloudformation", "package"): {"--template-file", "--s3-bucket", "--output-template-file"},
    ("cloudformation", "deploy"): {"--template-file", "--stack-name", "--capabilities", "--parameter-overrides"},
}
_OF_THE_CLI: Final = ("--query", "--output", "--endpoint-url", "--region")


class NoSuchCommand(ValueError):
    """The AWS CLI would refuse the command."""


@dataclass(frozen=True, slots=True)
class Command:
    service: str
    operation: str
    """As boto3 names it."""
    arguments: dict[str, Any]
    """What the SDK gets; empty for a command that the CLI adds."""
    query: str
    """What is printed of the answer, in JMESPath."""


def read(words: Sequence[str]) -> Command:
    """The command, without its first word `aws`. Raises NoSuchCommand."""
    service, operation, *rest = words
    options = _options(rest)
    if (service, operation) in CUSTOM:
        if unknown := options.keys() - CUSTOM[service, operation] - {""}:
            raise NoSuchCommand(f"{operation} has no {unknown}")
        return Command(service, operation, {}, "@")
    query, *_ = [(options.pop(name, None) or ["@"])[0] for name in _OF_THE_CLI]
    jmespath.compile(query)
    model = _input_of(service, operation)
    members = {"--" + xform_name(name, "-"): (name, shape) for name, shape in model.members.items()}
    # A boolean has a second option, for false.
    members |= {f"--no-{option[2:]}": of for option, of in members.items() if of[1].type_name == "boolean"}
    if unknown := options.keys() - members.keys():
        raise NoSuchCommand(f"{service} {operation} has no {unknown}")
    arguments = {members[option][0]: _value(members[option][1], texts) for option, texts in options.items()}
    if missing := set(model.required_members) - arguments.keys():
        raise NoSuchCommand(f"{service} {operation} needs {missing}")
    return Command(service, operation.replace("-", "_"), arguments, query)


def _options(words: Sequence[str]) -> dict[str, list[str]]:
    """The values of each option; those before the first have the name ''."""
    options: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word
            options[name] = []
        else:
            options.setdefault(name, []).append(word)
    return options


@cache
def _input_of(service: str, operation: str) -> StructureShape:
    model = get_session().get_service_model(service)
    found = [name for name in model.operation_names if xform_name(name, "-") == operation]
    if not found:
        raise NoSuchCommand(f"{service} has no {operation}")
    shape = model.operation_model(found[0]).input_shape
    assert shape, "an operation without members"
    return shape


def _value(shape: Shape, texts: list[str]) -> Any:
    text = " ".join(texts)
    if text.startswith("file://"):
        text = Path(text.removeprefix("file://")).read_text(encoding="utf-8")
    if shape.type_name == "list" and not text.startswith("["):
        return texts
    if shape.type_name in ("structure", "map", "list"):
        return json.loads(text)
    return int(text) if shape.type_name == "integer" else text
