"""The local cloud runs functions, and their event source mapping, as AWS does where this project relies on it."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.local.cloud.cloud import Cloud
from tests.local.cloud.probe_stack import JOURNAL, Probe, deploy_probe
from tests.local.cloud.received import receive_all
from tests.local.waiting import wait_for

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

VISIBILITY = 2  # seconds, of the probe's queue; as long as its function may run


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journal") / "deliveries"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, journal: Path) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), {JOURNAL: str(journal)}) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def probe(cloud: Cloud, journal: Path) -> Probe:
    probe = deploy_probe(cloud, journal, "probe")
    probe.start_processes(1)
    return probe


@pytest.fixture(scope="module")
def one_by_one(cloud: Cloud, journal: Path) -> Probe:
    """The probe with a batch a message, so that each has a verdict of its own."""
    probe = deploy_probe(cloud, journal, "one-by-one", {"BatchSize": "1"})
    probe.start_processes(2)  # its greatest concurrency
    return probe


# What a batch response means (Lambda developer guide, "Success and failure conditions")

SUCCESSES: dict[str, object] = {
    "null": None,
    "an empty object": {},
    "an empty list": {"batchItemFailures": []},
    "a null list": {"batchItemFailures": None},
}
FAILURES: dict[str, object] = {
    "an unknown identifier": {"batchItemFailures": [{"itemIdentifier": "nobody"}]},
    "an empty identifier": {"batchItemFailures": [{"itemIdentifier": ""}]},
    "a null identifier": {"batchItemFailures": [{"itemIdentifier": None}]},
    "a misnamed identifier": {"batchItemFailures": [{"messageId": "1"}]},
    "a text": "done",
}


def test_only_a_well_formed_response_takes_messages_off_the_queue(one_by_one: Probe) -> None:
    responses = SUCCESSES | FAILURES
    messages = {name: one_by_one.order("respond", response=response) for name, response in responses.items()}
    for name in FAILURES:
        one_by_one.wait_for_deliveries(messages[name], 2)
    delivered_again = {name for name, message in messages.items() if len(one_by_one.deliveries(message)) > 1}
    assert delivered_again == set(FAILURES)


def test_a_failed_item_comes_back_after_the_visibility_timeout_and_its_neighbours_do_not(probe: Probe) -> None:
    good, bad = probe.order("succeed"), probe.order("fail")
    _, second = probe.wait_for_deliveries(bad, 2)
    assert second.time - second.first_received >= VISIBILITY
    assert [second.receive_count, len(probe.deliveries(good))] == [2, 1]


@pytest.mark.parametrize("seconds", [0, VISIBILITY + 1])
def test_the_visibility_that_the_function_sets_decides_when_a_failed_item_returns(probe: Probe, seconds: int) -> None:
    first, second = probe.wait_for_deliveries(probe.order("hide", seconds=seconds), 2)
    # The order is given a moment before the delivery that the journal times.
    assert seconds - 0.1 <= second.time - first.time < seconds + VISIBILITY / 2


def test_a_message_is_delivered_as_soon_as_it_is_visible(probe: Probe) -> None:
    message = probe.order("hide", seconds=1)
    probe.wait_for_deliveries(message, 1)
    # Work that ends in between must not put off the next look at the queue.
    probe.order("work", seconds=0.7)
    first, second = probe.wait_for_deliveries(message, 2)
    assert 0.9 < second.time - first.time < 1.6


def test_a_message_received_too_often_becomes_a_dead_letter(cloud: Cloud, probe: Probe) -> None:
    message = probe.order("hide", seconds=0)
    queue_url = probe.stack.outputs["DeadLetterQueueUrl"]
    sqs = cloud.client("sqs")

    def arrived() -> bool:
        return message in {dead_letter["MessageId"] for dead_letter in receive_all(sqs, queue_url)}

    wait_for(arrived, "the dead letter")
    assert [delivery.receive_count for delivery in probe.deliveries(message)] == [1, 2, 3]


# Function processes


def test_a_killed_function_gives_its_batch_back_after_the_visibility_timeout(cloud: Cloud, probe: Probe) -> None:
    message = probe.order("hang once")
    (hanging,) = probe.wait_for_deliveries(message, 1)
    assert hanging.process_id in cloud.function_process_ids()
    os.kill(hanging.process_id, signal.SIGKILL)
    _, again = probe.wait_for_deliveries(message, 2)
    assert again.process_id != hanging.process_id
    assert again.time - again.first_received >= VISIBILITY


def test_the_timeout_ends_the_process_of_a_function(cloud: Cloud, probe: Probe) -> None:
    message = probe.order("hang once")
    (hanging,) = probe.wait_for_deliveries(message, 1)
    assert hanging.process_id in cloud.function_process_ids()
    wait_for(lambda: hanging.process_id not in cloud.function_process_ids(), "the time-out")
    _, again = probe.wait_for_deliveries(message, 2)
    assert again.process_id != hanging.process_id


def test_the_mapping_invokes_no_more_functions_at_once_than_it_may(one_by_one: Probe) -> None:
    seconds = 0.4
    messages = [one_by_one.order("work", seconds=seconds) for _ in range(6)]
    ends = sorted(one_by_one.wait_for_deliveries(message, 1)[0].time for message in messages)
    at_once = [sum(end - seconds < other <= end for other in ends) for end in ends]
    assert max(at_once) == 2


def test_what_a_function_prints_is_in_its_log_group_once_it_has_answered(cloud: Cloud, probe: Probe) -> None:
    function = probe.stack.resources["Function"]
    attributes = {"ApproximateReceiveCount": "1", "ApproximateFirstReceiveTimestamp": "0"}
    for text in [f"a line without its end: {number}" for number in range(20)]:
        body = json.dumps({"do": "write", "text": text})
        event = json.dumps({"Records": [{"messageId": "m-1", "body": body, "attributes": attributes}]})
        cloud.client("lambda").invoke(FunctionName=function, Payload=event)["Payload"].read()
        events = cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        assert text in [event["message"] for event in events]


def test_a_function_may_do_what_its_role_allows_and_no_more(probe: Probe) -> None:
    (put,) = probe.wait_for_deliveries(probe.order("put"), 1)
    (update,) = probe.wait_for_deliveries(probe.order("update"), 1)
    assert [put.outcome, update.outcome] == ["written", "AccessDeniedException"]


def test_a_deny_reaches_a_warm_function_at_once(cloud: Cloud, probe: Probe) -> None:
    iam = cloud.client("iam")
    role = probe.stack.resources["FunctionRole"]
    deny = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})

    (before,) = probe.wait_for_deliveries(probe.order("put"), 1)
    iam.put_role_policy(RoleName=role, PolicyName="deny", PolicyDocument=policy)
    (denied,) = probe.wait_for_deliveries(probe.order("put"), 1)
    iam.delete_role_policy(RoleName=role, PolicyName="deny")
    (after,) = probe.wait_for_deliveries(probe.order("put"), 1)

    assert [before.outcome, denied.outcome, after.outcome] == ["written", "AccessDeniedException", "written"]
    assert before.process_id == denied.process_id == after.process_id


# Pace


def test_a_warm_invoke_takes_milliseconds(cloud: Cloud, probe: Probe) -> None:
    aws_lambda, function = cloud.client("lambda"), probe.stack.resources["Function"]

    # One record, for its line in the log: ministack waits 50 ms for the first line of a silent function.
    attributes = {"ApproximateReceiveCount": "1", "ApproximateFirstReceiveTimestamp": "0"}
    record = {"messageId": "1", "body": '{"do": "succeed"}', "attributes": attributes}
    event = json.dumps({"Records": [record]})

    def invoke() -> float:
        started = time.perf_counter()
        aws_lambda.invoke(FunctionName=function, Payload=event)["Payload"].read()
        return time.perf_counter() - started

    # The fastest, since a busy machine delays some of them and a fault of the runtime's server delays all.
    assert min(invoke() for _ in range(20)) < 0.05


def test_a_thousand_messages_are_each_delivered_once(cloud: Cloud, journal: Path) -> None:
    fast = deploy_probe(cloud, journal, "fast", {"MaximumConcurrency": "10", "VisibilityTimeout": "30"})
    body = json.dumps({"do": "work", "seconds": 0.01})
    entries: list[SendMessageBatchRequestEntryTypeDef] = [{"Id": str(n), "MessageBody": body} for n in range(10)]
    sent: list[str] = []
    for _ in range(100):
        answer = cloud.client("sqs").send_message_batch(QueueUrl=fast.stack.outputs["QueueUrl"], Entries=entries)
        sent += [entry["MessageId"] for entry in answer["Successful"]]
    wait_for(lambda: fast.messages_left() == 0, "a thousand messages to be handled", seconds=60)
    handled = Counter(delivery.message_id for delivery in fast.all_deliveries())
    assert [handled[message] for message in sent] == [1] * 1000
