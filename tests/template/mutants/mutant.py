"""One mistake in a copy of the template, and the check that has to refuse it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.template.transformed import Json, JsonValue

# As the value of a mutant: what is there is taken away.
REMOVED: Final = object()
# As the last step of a path: after the last element of the list.
APPENDED: Final = "+"

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """The template with another value at one place."""

    mistake: str
    path: Path
    """The keys that lead to the place. In a list, the Sid of a statement or an index."""
    value: object
    refused_by: Callable[[], None]
    """A test of the template, with its arguments. It passes with the real template."""

    def make(self, template: Json) -> None:
        """Make the mistake. A place that is not there is a KeyError, unless its last step is a property to add."""
        node: JsonValue = template
        for step in self.path[:-1]:
            node = node[_key(node, step)]
        last = self.path[-1]
        if last == APPENDED:
            node.append(self.value)
        elif self.value is REMOVED:
            del node[_key(node, last)]
        else:
            node[_key(node, last)] = self.value


def of(resource: str, *path: str) -> Path:
    """The path of a property."""
    return ("Resources", resource, "Properties", *path)


def statement(role: str, *path: str) -> Path:
    """The path of a statement in the only policy of a role: its Sid, and what follows."""
    return of(role, "Policies", "0", "PolicyDocument", "Statement", *path)


def allow(action: str, resource: JsonValue, **more: JsonValue) -> Json:
    """A statement that grants an action."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _key(node: JsonValue, step: str) -> str | int:
    if isinstance(node, dict):
        return step
    if step.lstrip("-").isdigit():
        return int(step)
    (found,) = (index for index, element in enumerate(node) if element.get("Sid") == step)
    return found
