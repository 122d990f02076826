"""`python -m tests.template.lint_transformed`: cfn-lint on what CloudFormation gets, parameters at their defaults.

Some rules see nothing in the SAM template, such as the one that compares the visibility of a queue with the time-out of
the function that reads it: there the event source mapping is not there yet, and the two numbers are parameters.
"""

import json
import sys

from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.template.transformed import Json, resources, transformed

# What has been replaced wherever it is used (a parameter, a mapping, a condition) looks unused; in template.yaml the
# check is on.
UNUSED = ("W2001", "W7001", "W8001")


def as_deployed_by_default() -> Json:
    """The transformed template, its resources with the parameters' defaults in place."""
    return transformed() | {"Resources": resources()}


def problems(template: str, *ignored: str) -> list[str]:
    """What cfn-lint says of a template's text but for the rules ignored, one line a finding; empty if it is clean."""
    found = lint(template, config=ManualArgs(ignore_checks=list(ignored)))
    return [f"{match.rule.id} {'/'.join(map(str, match.path or []))}: {match.message}" for match in found]


def main() -> int:
    """Print every finding; 1 if there is one."""
    found = problems(json.dumps(as_deployed_by_default()), *UNUSED)
    for problem in found:
        print(problem, file=sys.stderr)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
