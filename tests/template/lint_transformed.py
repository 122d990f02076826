"""`python -m tests.template.lint_transformed [REGION...]`: cfn-lint on what CloudFormation gets by default.

The parameters are at their defaults. Without a region, cfn-lint judges by its default one.

Some rules find nothing in the SAM template. One compares the visibility timeout of a queue with the timeout of the
function that reads it: the SAM template has no event source mapping, and both numbers are parameters.
"""

import json
import sys
from collections.abc import Sequence

from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.template.transformed import Json, resources, transformed

# Parameters, mappings and conditions count as unused here, since their values are in place. The checks apply to
# template.yaml.
UNUSED = ("W2001", "W7001", "W8001")


def as_deployed_by_default() -> Json:
    """The transformed template, its resources with the parameters' defaults in place."""
    created = resources()
    for resource in created.values():
        resource.pop("Condition", None)  # it holds: the others are left out
    return transformed() | {"Resources": created}


def problems(template: str, *ignored: str, regions: Sequence[str] = ()) -> list[str]:
    """The findings of cfn-lint on a template's text, one line each, without those of the ignored rules."""
    arguments = ManualArgs(ignore_checks=list(ignored))
    if regions:
        arguments["regions"] = list(regions)
    found = lint(template, config=arguments)
    return [f"{match.rule.id} {'/'.join(map(str, match.path or []))}: {match.message}" for match in found]


def main() -> int:
    """Print every finding; 1 if there is one."""
    found = problems(json.dumps(as_deployed_by_default()), *UNUSED, regions=sys.argv[1:])
    for problem in found:
        print(problem, file=sys.stderr)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
