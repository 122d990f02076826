"""The template as CloudFormation gets it: SAM's transform, run offline, and parameters at their defaults or as given.

The tests use this and not `template.yaml`, because only this has everything that SAM adds: the event source mapping,
the versions of the layers, the roles that SAM creates for a function without one.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "template.yaml"

# A template is JSON in CloudFormation's format; its shape is checked by cfn-lint and by the tests, not by mypy.
JsonValue = Any
Json = dict[str, JsonValue]
Parameters = dict[str, int | str]

# The queues that functions read, each with the one behind it.
DEAD_LETTERS_OF = {
    "SongRequests": "SongDeadLetters",
    "SongChecks": "SongCheckDeadLetters",
    "SongRecordings": "SongRecordingDeadLetters",
}

ALWAYS: Json = {"Fn::Equals": ["", ""]}
_CODE_PROPERTIES = ("CodeUri", "ContentUri")
_in_place_of_shipped: list[Json] = []


@contextmanager
def changed(change: Callable[[Json], object]) -> Iterator[None]:
    """All functions of this module read a copy of `template.yaml` with this change, and not the file."""
    template = shipped()
    change(template)
    _forget_transformed()
    _in_place_of_shipped.append(template)
    try:
        yield
    finally:
        _in_place_of_shipped.pop()
        _forget_transformed()


def _forget_transformed() -> None:
    _transformed.cache_clear()
    _resources.cache_clear()


@cache
def _parsed() -> Json:
    parsed: Json = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    return parsed


def _shipped() -> Json:
    return _in_place_of_shipped[-1] if _in_place_of_shipped else _parsed()


def shipped() -> Json:
    """`template.yaml` with its short tags (`!Ref`) written out (`{"Ref": ...}`)."""
    return copy.deepcopy(_shipped())


def parameter_defaults() -> Parameters:
    """Every parameter's default, the numbers as numbers."""
    parameters: dict[str, Json] = _shipped()["Parameters"]
    return {name: parameter["Default"] for name, parameter in parameters.items()}


@cache
def _session() -> boto3.Session:
    return boto3.Session(region_name="us-east-1")


@cache
def _transformed() -> Json:
    packaged = shipped()
    for resource in packaged["Resources"].values():
        for name in _CODE_PROPERTIES:
            if name in resource.get("Properties", {}):
                # The transform wants code that `sam package` has uploaded, and never reads it.
                resource["Properties"][name] = "s3://packaged/code.zip"
    translator = Translator({}, Parser(), boto_session=_session())
    cloudformation: Json = translator.translate(packaged, parameter_values=parameter_defaults())
    return cloudformation


def transformed() -> Json:
    """The CloudFormation template that `template.yaml` becomes."""
    return copy.deepcopy(_transformed())


def resources(**given: int | str) -> dict[str, Json]:
    """The resources by logical id, with the parameters in place: those that are given, and the defaults of the others.

    A `Ref` to a parameter, an `Fn::FindInMap` and an `Fn::If` are replaced by their value. A resource whose condition
    does not hold is left out.
    """
    return copy.deepcopy(_resources(frozenset(given.items())))


@cache
def _resources(given: frozenset[tuple[str, int | str]]) -> dict[str, Json]:
    parameters = parameter_defaults() | dict(given)
    created = {
        logical_id: resource
        for logical_id, resource in _transformed()["Resources"].items()
        if "Condition" not in resource or _is_true(resource["Condition"], parameters)
    }
    in_place: dict[str, Json] = _in_place(created, parameters)
    return in_place


def outputs(**given: int | str) -> dict[str, Json]:
    """The outputs by name, with the parameters in place, as `resources` gives the resources."""
    in_place: dict[str, Json] = _in_place(_transformed()["Outputs"], parameter_defaults() | given)
    return in_place


def resources_of(resource_type: str) -> dict[str, Json]:
    """The properties of every resource of one type, by logical id, as `resources` gives them."""
    return {
        logical_id: resource["Properties"]
        for logical_id, resource in resources().items()
        if resource["Type"] == resource_type
    }


def text_of(value: JsonValue) -> str:
    """A text that is plain or in `Fn::Sub`, as the template writes it."""
    return str(value["Fn::Sub"] if isinstance(value, dict) else value)


def properties(logical_id: str, **given: int | str) -> Json:
    """The properties of one resource, as `resources` gives them."""
    found: Json = _resources(frozenset(given.items()))[logical_id]["Properties"]
    return copy.deepcopy(found)


def ends(name: str) -> list[int | str]:
    """The values at which a parameter may be wrong: its bounds, every value of a choice, or its only known text."""
    parameter: Json = _shipped()["Parameters"][name]
    if "MinValue" in parameter:
        return [parameter["MinValue"], parameter["MaxValue"]]
    allowed: list[int | str] = parameter.get("AllowedValues", [parameter["Default"]])
    return allowed


def allows(name: str, value: int | str) -> bool:
    """Whether a value is within the bounds of a parameter. Texts are not checked."""
    parameter: Json = _shipped()["Parameters"][name]
    if "MinValue" in parameter:
        return bool(parameter["MinValue"] <= int(value) <= parameter["MaxValue"])
    return str(value) in map(str, parameter.get("AllowedValues", [value]))


def refusals(*rules: str, **given: int | str) -> list[str]:
    """The template's rules (those named, or all) by which CloudFormation refuses these parameters before it begins."""
    parameters = parameter_defaults() | given
    return [
        name
        for name, rule in _shipped()["Rules"].items()
        if (not rules or name in rules) and _holds(rule.get("RuleCondition", ALWAYS), parameters)
        if not all(_holds(assertion["Assert"], parameters) for assertion in rule["Assertions"])
    ]


def arn_of(logical_id: str) -> Json:
    """The template's expression for the ARN of this resource."""
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def _in_place(node: JsonValue, parameters: Parameters) -> JsonValue:
    match node:
        case {"Ref": str(name)} if name in parameters:
            is_list = _shipped()["Parameters"][name]["Type"] == "CommaDelimitedList"
            return str(parameters[name]).split(",") if is_list else parameters[name]
        case {"Fn::FindInMap": [name, *keys]}:
            row, column = (str(_in_place(key, parameters)) for key in keys)
            return _shipped()["Mappings"][name][row][column]
        case {"Fn::If": [condition, when_true, when_false]}:
            return _in_place(when_true if _is_true(condition, parameters) else when_false, parameters)
        case dict():
            return {
                key: _in_place(value, parameters) for key, value in node.items() if not _is_left_out(value, parameters)
            }
        case list():
            return [_in_place(value, parameters) for value in node if not _is_left_out(value, parameters)]
        case _:
            return node


def _is_left_out(node: JsonValue, parameters: Parameters) -> bool:
    match node:
        case {"Ref": "AWS::NoValue"}:
            return True
        case {"Fn::If": [condition, when_true, when_false]}:
            return _is_left_out(when_true if _is_true(condition, parameters) else when_false, parameters)
        case _:
            return False


def _is_true(condition: str, parameters: Parameters) -> bool:
    return _holds(_shipped()["Conditions"][condition], parameters)


def _holds(condition: JsonValue, parameters: Parameters) -> bool:
    match condition:
        case {"Fn::Not": [negated]}:
            return not _holds(negated, parameters)
        case {"Fn::And": [*conditions]}:
            return all(_holds(one, parameters) for one in conditions)
        case {"Fn::Or": [*conditions]}:
            return any(_holds(one, parameters) for one in conditions)
        case {"Fn::Equals": [one, other]}:
            return _text(one, parameters) == _text(other, parameters)
        case {"Fn::Contains": [[*values], value]}:
            return str(_in_place(value, parameters)) in values
        case _:
            raise NotImplementedError(condition)


def _text(node: JsonValue, parameters: Parameters) -> str:
    match node:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_in_place(parts, parameters))
        case _:
            return str(_in_place(node, parameters))
