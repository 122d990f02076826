"""The part of functions/README.md about each function, from the template: its trigger, its rights, its settings.

python -m tests.template.functions_table  writes it between the markers of functions/README.md
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tests.template.transformed import PROJECT, Json, JsonValue, shipped

DOCUMENT: Final = PROJECT / "functions" / "README.md"
START: Final = "<!-- functions: `python -m tests.template.functions_table` writes from here -->"
END: Final = "<!-- functions: to here -->"
FOLDER: Final = "functions/"


def placed(document: str, text: str) -> str:
    """The document with `text` between its markers. Raises ValueError if there are no markers."""
    before, marker, rest = document.partition(START)
    _, end, after = rest.partition(END)
    if not (marker and end):
        raise ValueError(f"no markers: {START} and {END}")
    return f"{before}{START}\n\n{text}\n{END}{after}"


def functions() -> str:
    """A section for each function of the template, in its order, after what all functions share."""
    template = shipped()
    shared = template["Globals"]["Function"]
    machine = f"{shared['Runtime']} ({shared['Architectures'][0]})"
    settings = _listed(_parameters(shared, template))
    parts = [
        f"All functions run on {machine}, write to a log group of their own, and have these settings: {settings}.\n"
    ]
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            parts += [*_section(name, resource["Properties"], template), ""]
    return "\n".join(parts)


def _section(name: str, properties: Json, template: Json) -> Iterator[str]:
    role = template["Resources"][properties["Role"]["Fn::GetAtt"][0]]
    folder = properties["CodeUri"].removeprefix(FOLDER)
    triggers = [*_events(properties), *_targets(name, template)]
    shared = _parameters(template["Globals"], template)
    settings = [one for one in _parameters(properties, template) if one not in shared]
    yield f"### [{folder}]({folder}/{folder}.py)\n"
    yield f"{properties['Description']}.\n"
    yield f"- **Trigger:** {'; '.join(triggers) or 'an operator invokes it'}."
    yield f"- **Rights:** {'; '.join(_rights(role))}."
    yield f"- **Settings:** {_listed(settings) or 'none of its own'}."


def _events(properties: Json) -> Iterator[str]:
    for event in properties.get("Events", {}).values():
        match event:
            case {"Type": "SQS", "Properties": {"Queue": queue}}:
                yield f"messages on `{_name(queue)}`"
            case {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": expression}}:
                yield f"the schedule `{expression}`"
            case _:
                raise ValueError(f"no words for the event {event}")


def _targets(name: str, template: Json) -> Iterator[str]:
    """The rules, and the route of the HTTP API, that have the function as their target."""
    arn = {"Fn::GetAtt": [name, "Arn"]}
    for logical_id, resource in template["Resources"].items():
        match resource:
            case {"Type": "AWS::Events::Rule", "Properties": {"Targets": targets}}:
                if any(target["Arn"] == arn for target in targets):
                    yield f"events of the rule `{logical_id}`"
            case {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {"IntegrationUri": target}} if target == arn:
                yield f"`{template['Resources']['WebhookRoute']['Properties']['RouteKey']}` on the HTTP API"


def _rights(role: Json) -> Iterator[str]:
    """The actions, grouped by what they are allowed on. Conditions and log groups are in the template only."""
    by_target: dict[str, list[str]] = {}
    for policy in role["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            granted = statement["Fn::If"][1] if "Fn::If" in statement else statement
            for target in _each(granted["Resource"]):
                actions = by_target.setdefault(_name(target), [])
                actions += [one for one in _each(granted["Action"]) if one not in actions]
    by_actions: dict[tuple[str, ...], list[str]] = {}
    for name, granted_actions in by_target.items():
        if not name.endswith("LogGroup"):
            by_actions.setdefault(tuple(granted_actions), []).append(name)
    for actions_alike, names in by_actions.items():
        yield f"{_listed(actions_alike)} on {'any resource' if names == ['*'] else _listed(names)}"


def _name(reference: JsonValue) -> str:
    """The logical id in a reference, with what follows it in an ARN."""
    match reference:
        case {"Fn::GetAtt": [str(name), *_]} | {"Ref": str(name)} | str(name):
            return name
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            return re.sub(r"^(?:.*:)?\$\{(\w+)(?:\.Arn)?\}", r"\1", text)
        case {"Fn::If": [_, first, _]}:
            return _name(first)
        case _:
            raise ValueError(f"no name for {reference}")


def _parameters(part: JsonValue, template: Json) -> list[str]:
    """The parameters that this part of the template refers to."""
    used = set(_references(part))
    return [name for name in template["Parameters"] if name in used]


def _references(part: JsonValue) -> Iterator[str]:
    match part:
        case {"Ref": str(name)}:
            yield name
        case dict():
            for inner in part.values():
                yield from _references(inner)
        case list():
            for inner in part:
                yield from _references(inner)


def _each(values: JsonValue) -> list[JsonValue]:
    return values if isinstance(values, list) else [values]


def _listed(values: Iterable[JsonValue]) -> str:
    return ", ".join(f"`{value}`" for value in values)


if __name__ == "__main__":
    DOCUMENT.write_text(placed(DOCUMENT.read_text(encoding="utf-8"), functions()), encoding="utf-8")
