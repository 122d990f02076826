"""Which stack a resource belongs to: a tag on what CloudFormation does not tag with the stack's name itself."""

from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.template.transformed import resources

OF_THE_STACK = {"Key": "song-intake:stack", "Value": {"Ref": "AWS::StackName"}}
# A role costs nothing, is deleted with its stack, and a tag on it would need a right of whoever deploys.
UNTAGGED = {"AWS::IAM::Role"}


def tagging(resource_type: str) -> dict[str, Any]:
    """What AWS's schema of a type states about its tags."""
    found: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema["tagging"]
    return found


def types_without_the_name() -> set[str]:
    """The types that can have tags, and none of CloudFormation (`aws:cloudformation:stack-name`)."""
    types = {resource["Type"] for resource in resources().values()}
    return {name for name in types if tagging(name)["taggable"] and not tagging(name)["cloudFormationSystemTags"]}


def test_what_cloudformation_does_not_tag_is_tagged_with_the_name_of_the_stack() -> None:
    tags = {
        logical_id: resource["Properties"].get("Tags")
        for logical_id, resource in resources().items()
        if resource["Type"] in types_without_the_name() - UNTAGGED
    }
    assert {"Ledger", "SongRequests", "SongDeadLetters", "AlarmKey"} <= tags.keys()
    assert tags == {name: [OF_THE_STACK] for name in tags}


@pytest.mark.parametrize("resource_type", sorted(UNTAGGED))
def test_what_has_no_tag_is_deleted_with_its_stack(resource_type: str) -> None:
    found = [one for one in resources().values() if one["Type"] == resource_type]
    assert found
    assert [one for one in found if one.get("DeletionPolicy", "Delete") != "Delete"] == []


def test_no_other_tag_hides_one_that_is_given_at_the_deployment() -> None:
    keys = {tag["Key"] for one in resources().values() for tag in one["Properties"].get("Tags", []) if "Key" in tag}
    # The transform adds the second one to functions.
    assert keys == {"song-intake:stack", "lambda:createdBy"}
