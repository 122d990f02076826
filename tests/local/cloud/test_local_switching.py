"""The event source mapping of the local cloud is switched as slowly as on AWS, and reads by the role's rights."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.local.cloud.cloud import Cloud
from tests.local.cloud.deployment import DeploymentFailed
from tests.local.cloud.ministack_switching import SECONDS
from tests.local.cloud.probe_stack import JOURNAL, Probe, deploy_probe
from tests.local.waiting import wait_for

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Long enough for a few calls and one delivery, also on a busy machine.
SWITCH_SECONDS = 3
Call = Callable[["LambdaClient", str], object]
CHANGES: dict[str, Call] = {
    "enable": lambda functions, uuid: functions.update_event_source_mapping(UUID=uuid, Enabled=True),
    "update": lambda functions, uuid: functions.update_event_source_mapping(UUID=uuid, BatchSize=5),
    "delete": lambda functions, uuid: functions.delete_event_source_mapping(UUID=uuid),
}


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journal") / "deliveries"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, journal: Path) -> Iterator[Cloud]:
    environment = {JOURNAL: str(journal), SECONDS: str(SWITCH_SECONDS)}
    with Cloud(tmp_path_factory.mktemp("cloud"), environment) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def probe(cloud: Cloud, journal: Path) -> Probe:
    return deploy_probe(cloud, journal, "probe")


@pytest.fixture(scope="module")
def mapping(cloud: Cloud, probe: Probe) -> str:
    (mapping,) = cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return mapping["UUID"]


def _state(cloud: Cloud, mapping: str) -> str:
    return cloud.client("lambda").get_event_source_mapping(UUID=mapping)["State"]


@contextmanager
def _denied(cloud: Cloud, probe: Probe, action: str) -> Iterator[None]:
    iam, role = cloud.client("iam"), probe.stack.resources["FunctionRole"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}]}
    iam.put_role_policy(RoleName=role, PolicyName="denied", PolicyDocument=json.dumps(policy))
    yield
    iam.delete_role_policy(RoleName=role, PolicyName="denied")


def test_a_mapping_that_is_switched_delivers_as_before_and_refuses_changes_until_it_is_done(
    cloud: Cloud, probe: Probe, mapping: str, subtests: pytest.Subtests
) -> None:
    functions = cloud.client("lambda")
    probe.wait_for_deliveries(probe.order("succeed"), 1)  # no cold start from here on
    assert functions.update_event_source_mapping(UUID=mapping, Enabled=False)["State"] == "Disabling"
    for name, change in CHANGES.items():
        with subtests.test(name), pytest.raises(ClientError, match="ResourceInUseException"):
            change(functions, mapping)
    probe.wait_for_deliveries(probe.order("succeed"), 1)
    assert _state(cloud, mapping) == "Disabling", "it was delivered by then"
    wait_for(lambda: _state(cloud, mapping) == "Disabled", "the mapping to be disabled")

    waiting = probe.order("succeed")
    assert functions.update_event_source_mapping(UUID=mapping, Enabled=True)["State"] == "Enabling"
    assert probe.deliveries(waiting) == []
    wait_for(lambda: _state(cloud, mapping) == "Enabled", "the mapping to be enabled")
    probe.wait_for_deliveries(waiting, 1)


def test_an_update_without_a_switch_is_done_later_too(cloud: Cloud, mapping: str) -> None:
    updated = cloud.client("lambda").update_event_source_mapping(UUID=mapping, MaximumBatchingWindowInSeconds=0)
    assert updated["State"] == "Updating"
    wait_for(lambda: _state(cloud, mapping) == "Enabled", "the update to end")


def test_a_mapping_reads_its_queue_by_the_rights_of_the_role(cloud: Cloud, probe: Probe) -> None:
    with _denied(cloud, probe, "sqs:ReceiveMessage"):
        unread = probe.order("succeed")
        # Longer than the poller waits between two turns.
        with pytest.raises(TimeoutError):
            wait_for(lambda: probe.deliveries(unread), "a delivery that must not come", seconds=1.5)
    probe.wait_for_deliveries(unread, 1)


def test_a_message_that_the_role_may_not_delete_is_delivered_again(cloud: Cloud, probe: Probe) -> None:
    with _denied(cloud, probe, "sqs:DeleteMessage"):
        probe.wait_for_deliveries(probe.order("succeed"), 2)


@pytest.mark.parametrize("call", ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"])
def test_no_mapping_is_created_for_a_role_without_a_right(cloud: Cloud, tmp_path: Path, call: str) -> None:
    with pytest.raises(DeploymentFailed, match=f"does not have permissions to call {call} on SQS"):
        deploy_probe(cloud, tmp_path, f"without-{call}", {"DeniedAction": f"sqs:{call}"})
