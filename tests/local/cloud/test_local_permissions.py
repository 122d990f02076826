"""The local cloud asks for the permission that AWS asks for, where ministack has another or none."""

import json
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local.cloud.aws_clients import REGION
from tests.local.cloud.cloud import Cloud

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Call = Callable[["LambdaClient", str], object]

# By the permission that it takes on AWS (Service Authorization Reference, Lambda).
OF_A_MAPPING: dict[str, Call] = {
    "lambda:GetEventSourceMapping": lambda functions, uuid: functions.get_event_source_mapping(UUID=uuid),
    "lambda:UpdateEventSourceMapping": lambda functions, uuid: functions.update_event_source_mapping(
        UUID=uuid, Enabled=True
    ),
}


@pytest.mark.parametrize("needed", OF_A_MAPPING)
def test_a_call_about_one_mapping_needs_just_its_own_permission_on_that_mapping(cloud: Cloud, needed: str) -> None:
    # There is none: whoever may look is told so.
    mapping, other = str(uuid.uuid4()), str(uuid.uuid4())
    assert _code(OF_A_MAPPING[needed], _allowed(cloud, needed, mapping), mapping) == "ResourceNotFoundException"
    assert _code(OF_A_MAPPING[needed], _allowed(cloud, needed, other), mapping) == "AccessDeniedException"
    for action in OF_A_MAPPING.keys() - {needed}:
        assert _code(OF_A_MAPPING[needed], _allowed(cloud, action, mapping), mapping) == "AccessDeniedException"


def _code(call: Call, functions: "LambdaClient", mapping: str) -> str:
    """The error that the call is answered with."""
    with pytest.raises(ClientError) as failed:
        call(functions, mapping)
    return failed.value.response["Error"]["Code"]


def _allowed(cloud: Cloud, action: str, mapping: str) -> "LambdaClient":
    """A client that may do this to that mapping, and nothing else."""
    iam, name = cloud.client("iam"), f"user-{uuid.uuid4().hex}"
    iam.create_user(UserName=name)
    arn = f"arn:aws:lambda:{REGION}:000000000000:event-source-mapping:{mapping}"
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": arn}]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    session = boto3.session.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    verify = str(cloud.ca_bundle)
    return session.client("lambda", endpoint_url=cloud.endpoint_url, verify=verify, config=Config(proxies={}))
