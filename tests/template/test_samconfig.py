"""`sam build && sam deploy` asks for nothing that samconfig.toml or the template could answer."""

import tomllib

from tests.template.transformed import PROJECT, resources, shipped

CONFIG = tomllib.loads((PROJECT / "samconfig.toml").read_text(encoding="utf-8"))
# SAM adds the parameters of `global` to those of every command.
# https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
DEPLOY = CONFIG["default"]["global"]["parameters"] | CONFIG["default"]["deploy"]["parameters"]
NAMES_OF_IAM = {"RoleName", "PolicyName", "ManagedPolicyName", "UserName", "GroupName"}


def test_a_deployment_needs_no_guide() -> None:
    assert CONFIG["version"] == 0.1
    assert DEPLOY == {
        "stack_name": "song-intake",
        "resolve_s3": True,
        "s3_prefix": "song-intake",
        "capabilities": "CAPABILITY_IAM",
        "confirm_changeset": True,
        "fail_on_empty_changeset": False,
    }


def test_the_region_and_the_account_are_those_of_the_user() -> None:
    given = {name for command in CONFIG["default"].values() for name in command["parameters"]}
    assert given.isdisjoint({"region", "profile", "s3_bucket", "role_arn", "parameter_overrides"})


def test_every_parameter_has_a_default() -> None:
    assert [name for name, parameter in shipped()["Parameters"].items() if "Default" not in parameter] == []


def test_the_capability_suffices_because_no_iam_resource_has_a_name_of_ours() -> None:
    named = [
        name
        for name, resource in resources().items()
        if resource["Type"].startswith("AWS::IAM::") and NAMES_OF_IAM & resource["Properties"].keys()
    ]
    assert named == []
