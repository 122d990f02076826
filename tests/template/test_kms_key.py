"""KmsKeyArn: all that can be encrypted by a key of the user is, and whoever needs the key may use it and no other."""

import json
import re
from collections.abc import Iterator

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.template.test_least_privilege import as_list, statements_in
from tests.template.transformed import Json, JsonValue, properties, resources, shipped

KEY = "arn:aws:kms:eu-central-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"
WITH_KEY = {"KmsKeyArn": KEY}

# Where a resource of each type names its key.
PLACES: dict[str, tuple[str, ...]] = {
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
    "AWS::S3::Bucket": (
        *("BucketEncryption", "ServerSideEncryptionConfiguration", "0"),
        *("ServerSideEncryptionByDefault", "KMSMasterKeyID"),
    ),
    "AWS::Events::EventBus": ("KmsKeyIdentifier",),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::Lambda::Function": ("KmsKeyArn",),
    "AWS::Scheduler::Schedule": ("KmsKeyArn",),
}
# The key of an event source mapping encrypts its filter, and none has one.
WITHOUT_CONTENT = {"AWS::Lambda::EventSourceMapping": "FilterCriteria"}

READS = ["kms:Decrypt"]
READS_AND_SENDS = ["kms:Decrypt", "kms:GenerateDataKey"]
USERS = {
    **dict.fromkeys(("SubmitSongRole", "TrackSongRole", "KeepRecordingRole", "ReceiveWebhookRole"), READS_AND_SENDS),
    **dict.fromkeys(("ResolveSongRole", "RedriveLettersRole", "SenderPolicy", "OperatorPolicy"), READS_AND_SENDS),
    **dict.fromkeys(("SwitchIntakeRole", "BalanceCheckScheduleRole", "ReaderPolicy", "DoctorPolicy"), READS),
}


def names_of_properties(node: JsonValue) -> Iterator[str]:
    match node:
        case dict():
            yield from node.get("properties", {})
            for value in node.values():
                yield from names_of_properties(value)
        case list():
            for value in node:
                yield from names_of_properties(value)


def can_have_a_key(resource_type: str) -> bool:
    """Whether AWS's schema of the type has a property about encryption."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    return any(re.search("kms|encrypt", name.lower()) for name in names_of_properties(schema))


def at(node: JsonValue, *path: str) -> JsonValue:
    """The value at this place; None if there is none."""
    for step in path:
        if isinstance(node, list):
            node = node[int(step)]
        elif step in node:
            node = node[step]
        else:
            return None
    return node


def keys_of(resource_type: str, **given: str) -> dict[str, JsonValue]:
    """The key of each resource of a type, by logical id."""
    return {
        logical_id: at(resource["Properties"], *PLACES[resource_type])
        for logical_id, resource in resources(**given).items()
        if resource["Type"] == resource_type
    }


def uses_of_keys(**given: str) -> dict[str, list[Json]]:
    """The statements about keys of every role and policy."""
    found: dict[str, list[Json]] = {}
    for logical_id, resource in resources(**given).items():
        if resource["Type"] in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
            for statement in statements_in(resource):
                if "kms:" in json.dumps(statement["Action"]):
                    found.setdefault(logical_id, []).append(statement)
    return found


def test_every_type_that_can_have_a_key_is_known() -> None:
    types = {resource["Type"] for resource in resources().values()}
    assert {name for name in types if can_have_a_key(name)} == {*PLACES, *WITHOUT_CONTENT}


@pytest.mark.parametrize(("resource_type", "content"), WITHOUT_CONTENT.items())
def test_what_has_no_key_holds_nothing_to_encrypt(resource_type: str, content: str) -> None:
    found = [one["Properties"] for one in resources(**WITH_KEY).values() if one["Type"] == resource_type]
    assert found
    assert [one for one in found if content in one] == []


@pytest.mark.parametrize("resource_type", PLACES)
def test_each_resource_that_can_have_the_key_has_it(resource_type: str) -> None:
    found = keys_of(resource_type, **WITH_KEY)
    assert found
    assert found == dict.fromkeys(found, KEY)


@pytest.mark.parametrize("resource_type", PLACES)
def test_without_a_key_of_the_user_aws_encrypts(resource_type: str) -> None:
    # CloudWatch may not use the key that AWS manages for SNS.
    ours = {"Ref": "AlarmKey"} if resource_type == "AWS::SNS::Topic" else None
    assert set(map(str, keys_of(resource_type).values())) == {str(ours)}


def test_the_kind_of_encryption_follows_the_key() -> None:
    def kinds(**given: str) -> tuple[JsonValue, ...]:
        (rule,) = properties("RecordingBucket", **given)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        return (
            properties("SongRequests", **given).get("SqsManagedSseEnabled"),
            properties("Ledger", **given)["SSESpecification"].get("SSEType"),
            rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"],
            rule.get("BucketKeyEnabled"),
            "AlarmKey" in resources(**given),
        )

    assert kinds() == (True, None, "AES256", None, True)
    assert kinds(**WITH_KEY) == (None, "KMS", "aws:kms", True, False)


def test_who_needs_the_key_may_use_it_and_no_other_key() -> None:
    granted = {
        logical_id: [(as_list(statement["Action"]), statement["Resource"]) for statement in statements]
        for logical_id, statements in uses_of_keys(**WITH_KEY).items()
    }
    assert granted == {logical_id: [(actions, KEY)] for logical_id, actions in USERS.items()}


def test_without_a_key_no_role_has_a_right_on_one() -> None:
    assert uses_of_keys() == {}


def test_every_role_and_policy_is_a_user_of_the_key() -> None:
    kinds = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
    assert {name for name, one in resources().items() if one["Type"] in kinds} == set(USERS)


@pytest.mark.parametrize(
    ("arn", "is_accepted"),
    [
        (KEY, True),
        ("arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", True),
        ("arn:aws:kms:eu-central-1:123456789012:alias/songs", False),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", False),
        ("arn:aws:kms:eu-central-1:123456789012:key/*", False),
    ],
)
def test_only_the_arn_of_a_key_is_accepted(arn: str, is_accepted: bool) -> None:  # noqa: FBT001
    pattern = shipped()["Parameters"]["KmsKeyArn"]["AllowedPattern"]
    assert bool(re.search(pattern, arn)) is is_accepted
