import json

from tests.template.lint_transformed import UNUSED, as_deployed_by_default, problems
from tests.template.transformed import TEMPLATE


def test_cfn_lint_finds_nothing_in_the_template() -> None:
    assert problems(TEMPLATE.read_text(encoding="utf-8")) == []


def test_cfn_lint_finds_nothing_in_the_transformed_template() -> None:
    assert problems(json.dumps(as_deployed_by_default()), *UNUSED) == []


def test_cfn_lint_sees_a_visibility_shorter_than_the_timeout_once_the_template_is_transformed() -> None:
    template = as_deployed_by_default()
    template["Resources"]["SongRequests"]["Properties"]["VisibilityTimeout"] = 59
    found = problems(json.dumps(template), *UNUSED)
    assert [problem.split()[0] for problem in found] == ["E3505"]
