"""`make lint` judges both templates by cfn-lint. This shows that it sees more in the transformed one."""

import json

from tests.template.lint_transformed import UNUSED, as_deployed_by_default, problems


def test_cfn_lint_sees_a_visibility_shorter_than_the_timeout_once_the_template_is_transformed() -> None:
    template = as_deployed_by_default()
    template["Resources"]["SongRequests"]["Properties"]["VisibilityTimeout"] = 59
    found = problems(json.dumps(template), *UNUSED)
    assert [problem.split()[0] for problem in found] == ["E3505"]
