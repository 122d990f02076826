"""The template as CloudFormation gets it: SAM's transform, run offline, and parameters at their defaults.

The rules of the design are asserted on this and not on `template.yaml`, because only here is everything that SAM adds:
the event source mapping, the versions of the layers, the roles it would make up if none were named.
"""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "template.yaml"

# A template is JSON of CloudFormation's making; its shape is checked by cfn-lint and by the tests, not by mypy.
JsonValue = Any
Json = dict[str, JsonValue]

# The queues that functions read, each with the one behind it.
DEAD_LETTERS_OF = {"SongRequests": "SongDeadLetters", "SongChecks": "SongCheckDeadLetters"}

_CODE_PROPERTIES = ("CodeUri", "ContentUri")


@cache
def _shipped() -> Json:
    parsed: Json = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    return parsed


def shipped() -> Json:
    """`template.yaml` with its short tags (`!Ref`) written out (`{"Ref": ...}`)."""
    return copy.deepcopy(_shipped())


def parameter_defaults() -> dict[str, int | str]:
    """Every parameter's default, the numbers as numbers."""
    parameters: dict[str, Json] = shipped()["Parameters"]
    return {name: parameter["Default"] for name, parameter in parameters.items()}


@cache
def _transformed() -> Json:
    packaged = shipped()
    for resource in packaged["Resources"].values():
        for name in _CODE_PROPERTIES:
            if name in resource.get("Properties", {}):
                # The transform wants code that `sam package` has uploaded, and never reads it.
                resource["Properties"][name] = "s3://packaged/code.zip"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    cloudformation: Json = translator.translate(packaged, parameter_values=parameter_defaults())
    return cloudformation


def transformed() -> Json:
    """The CloudFormation template that `template.yaml` becomes."""
    return copy.deepcopy(_transformed())


def resources() -> dict[str, Json]:
    """The resources by logical id; a `Ref` to a parameter is replaced by the parameter's default."""
    with_defaults: dict[str, Json] = _with_defaults(transformed()["Resources"], parameter_defaults())
    return with_defaults


def resources_of(resource_type: str) -> dict[str, Json]:
    """The properties of every resource of one type, by logical id, as `resources` gives them."""
    return {
        logical_id: resource["Properties"]
        for logical_id, resource in resources().items()
        if resource["Type"] == resource_type
    }


def properties(logical_id: str) -> Json:
    """The properties of one resource, as `resources` gives them."""
    found: Json = resources()[logical_id]["Properties"]
    return found


def arn_of(logical_id: str) -> Json:
    """How the template says "the ARN of this resource"."""
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def _with_defaults(node: JsonValue, defaults: dict[str, int | str]) -> JsonValue:
    match node:
        case {"Ref": str(name)} if name in defaults:
            return defaults[name]
        case dict():
            return {key: _with_defaults(value, defaults) for key, value in node.items()}
        case list():
            return [_with_defaults(value, defaults) for value in node]
        case _:
            return node
