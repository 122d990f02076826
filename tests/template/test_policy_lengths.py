"""Each managed policy fits into IAM's limit, whatever the stack and the ledger are called."""

import json

import pytest

from tests.template.transformed import JsonValue, properties

# The longest name of each, as given or as CloudFormation makes it of the stack's name of up to 128 characters.
LONGEST_STACK = "s" * 128
LONGEST_NAMES = {
    "Ledger": "dynamodb:us-gov-west-1:123456789012:table/" + "t" * 255,
    "AlarmTopic": f"sns:us-gov-west-1:123456789012:{LONGEST_STACK}-AlarmTopic-123456789012",
    "UrgentAlarmTopic": f"sns:us-gov-west-1:123456789012:{LONGEST_STACK}-UrgentAlarmTopic-123456789012",
    "SubmitSongLogGroup": f"logs:us-gov-west-1:123456789012:log-group:{LONGEST_STACK}-SubmitSongLogGroup-12345678901:*",
}
LONGEST_OF_ANY_OTHER = "lambda:us-gov-west-1:123456789012:function:" + "f" * 80


def at_its_longest(node: JsonValue) -> JsonValue:
    """The policy as IAM gets it, with the longest ARNs that there can be."""
    match node:
        case {"Fn::GetAtt": [name, *_]} | {"Ref": name}:
            return f"arn:aws-us-gov:{LONGEST_NAMES.get(name, LONGEST_OF_ANY_OTHER)}"
        case {"Fn::Sub": str(text)}:
            for name, longest in {
                "Ledger.Arn": f"arn:aws-us-gov:{LONGEST_NAMES['Ledger']}",
                "LedgerTableName": "t" * 255,
                "RecordingBucket.Arn": f"arn:aws-us-gov:s3:::{'b' * 63}",
                "RecordingBucketName": "b" * 63,
                "AWS::Partition": "aws-us-gov",
                "AWS::Region": "us-gov-west-1",
                "AWS::AccountId": "123456789012",
                "AWS::StackName": LONGEST_STACK,
            }.items():
                text = text.replace(f"${{{name}}}", longest)
            assert "${" not in text
            return text
        case dict():
            return {name: at_its_longest(value) for name, value in node.items()}
        case list():
            return [at_its_longest(one) for one in node]
    return node


@pytest.mark.parametrize("policy", ["SenderPolicy", "ReaderPolicy", "OperatorPolicy", "DoctorPolicy"])
@pytest.mark.parametrize("table", ["", "the-ledger"], ids=["a new ledger", "an existing one"])
def test_a_policy_fits_into_a_managed_policy_whatever_the_names_are(policy: str, table: str) -> None:
    """Of 6,144 characters: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    key = f"arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-{'f' * 32}"
    document = at_its_longest(properties(policy, KmsKeyArn=key, LedgerTableName=table)["PolicyDocument"])
    assert len(json.dumps(document, separators=(",", ":"))) <= 6144
