"""Deploys the shipped SAM template into the local cloud, with no SAM CLI between them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.local.cloud.aws_clients import AwsClients
from tests.local.cloud.cloud import Cloud
from tests.local.cloud.function_package import localise
from tests.local.waiting import wait_for

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef


class DeploymentFailed(Exception):
    """CloudFormation refused the stack or rolled it back; the message lists the reasons that its events give."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: what its template puts out, and the physical id of each resource by its logical one."""

    name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, str]


def deploy(
    cloud: Cloud | AwsClients, template: Path, stack_name: str, parameters: Mapping[str, str] | None = None
) -> Stack:
    """Creates the stack and waits until it is complete; `DeploymentFailed` where it does not get there."""
    bucket = f"artifacts-of-{stack_name}".lower()  # a stack of another account has its own
    local = localise(template, bucket, prefix=stack_name)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=bucket)
    for key, archive in local.archives.items():
        s3.put_object(Bucket=bucket, Key=key, Body=archive)
    # From S3, as `sam deploy` has it: a request itself may carry 51,200 bytes of template, and ours has more.
    template_key = f"{stack_name}/template.json"
    s3.put_object(Bucket=bucket, Key=template_key, Body=json.dumps(local.body).encode())
    cloud.client("cloudformation").create_stack(
        StackName=stack_name,
        TemplateURL=f"{cloud.endpoint_url}/{bucket}/{template_key}",
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()],
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    description = wait_for(lambda: _settled(cloud, stack_name), f"the stack {stack_name} to be created", seconds=60)
    if description["StackStatus"] != "CREATE_COMPLETE":
        raise DeploymentFailed(f"{stack_name}: {description['StackStatus']}\n{_reasons(cloud, stack_name)}")
    return Stack(stack_name, _outputs(description), _resources(cloud, stack_name))


def change_parameters(cloud: Cloud, stack: Stack, parameters: Mapping[str, str]) -> None:
    """Updates the stack with its own template: these parameters change, and the others keep their values."""
    cloudformation = cloud.client("cloudformation")
    kept = {
        one["ParameterKey"] for one in cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]["Parameters"]
    } - parameters.keys()
    given: list[ParameterTypeDef] = [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(kept)]
    given += [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    cloudformation.update_stack(
        StackName=stack.name,
        UsePreviousTemplate=True,
        Parameters=given,
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    description = wait_for(lambda: _settled(cloud, stack.name), f"the stack {stack.name} to be updated")
    if description["StackStatus"] != "UPDATE_COMPLETE":
        raise DeploymentFailed(f"{stack.name}: {description['StackStatus']}\n{_reasons(cloud, stack.name)}")


def undeploy(cloud: Cloud, stack: Stack) -> None:
    """Deletes the stack and waits until it is gone; what the template retains stays, as on AWS."""
    cloud.client("cloudformation").delete_stack(StackName=stack.name)
    wait_for(lambda: not _stacks_named(cloud, stack.name), f"the stack {stack.name} to be deleted", seconds=60)


def _settled(cloud: Cloud | AwsClients, stack_name: str) -> "StackTypeDef | None":
    description = cloud.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    return None if description["StackStatus"].endswith("IN_PROGRESS") else description


def _stacks_named(cloud: Cloud, stack_name: str) -> list[str]:
    # list_stacks shows deleted stacks too, describe_stacks by name raises for them: this names the living ones.
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    return [stack["StackName"] for stack in stacks if stack["StackName"] == stack_name]


def _reasons(cloud: Cloud | AwsClients, stack_name: str) -> str:
    events = cloud.client("cloudformation").describe_stack_events(StackName=stack_name)["StackEvents"]
    return "\n".join(
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("FAILED") and "ResourceStatusReason" in event
    )


def _outputs(description: "StackTypeDef") -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}


def _resources(cloud: Cloud | AwsClients, stack_name: str) -> dict[str, str]:
    described = cloud.client("cloudformation").describe_stack_resources(StackName=stack_name)["StackResources"]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in described}
