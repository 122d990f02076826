"""A check is read from its queue as it was written."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace

import boto3
import pytest
from botocore.stub import Stubber

from song_intake.domain.decision import SideEffectFailed
from song_intake.outgoing.checks import SongCheck, SongChecks, _Order

CHECK = SongCheck("request:1", "täsk-1", 1_700_000_000.125, no_such_task=True)


@pytest.mark.parametrize("check", [CHECK, replace(CHECK, no_such_task=False)])
def test_a_check_is_read_as_it_was_written(check: SongCheck) -> None:
    assert SongCheck.parse(json.dumps(asdict(check))) == check


@pytest.mark.parametrize("missing", ["request_id", "task_id", "since", "no_such_task"])
def test_a_check_without_one_of_its_fields_is_an_error(missing: str) -> None:
    fields = {name: value for name, value in asdict(CHECK).items() if name != missing}
    with pytest.raises(KeyError):
        SongCheck.parse(json.dumps(fields))


@pytest.mark.parametrize("body", ["", "not JSON", "[]", '"text"', "null", '{"request_id": "r", "task_id": "t"}'])
def test_a_body_that_is_not_a_check_is_an_error(body: str) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        SongCheck.parse(body)


@pytest.fixture
def stubbed() -> Iterator[tuple[SongChecks, Stubber]]:
    sqs = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(sqs) as stubber:
        yield SongChecks(sqs, "https://queue", first_check=15), stubber
    sqs.close()


def test_checks_in_one_call_have_one_result_each(stubbed: tuple[SongChecks, Stubber]) -> None:
    checks, stubber = stubbed
    body = json.dumps(asdict(CHECK))
    stubber.add_response(
        "send_message_batch",
        {
            "Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": "-"}],
            "Failed": [{"Id": "1", "Code": "InternalError", "SenderFault": False, "Message": "canary"}],
        },
        {
            "QueueUrl": "https://queue",
            "Entries": [
                {"Id": "0", "MessageBody": body, "DelaySeconds": 15},
                {"Id": "1", "MessageBody": body, "DelaySeconds": 0},
            ],
        },
    )
    assert checks._send_all([_Order(CHECK, 15), _Order(CHECK, 0)]) == [None, "InternalError"]


def test_a_check_that_the_queue_rejects_is_reported_by_its_error_code_only(stubbed: tuple[SongChecks, Stubber]) -> None:
    checks, stubber = stubbed
    failed = {"Id": "0", "Code": "InternalError", "SenderFault": False, "Message": "canary"}
    stubber.add_response("send_message_batch", {"Successful": [], "Failed": [failed]})
    with pytest.raises(SideEffectFailed, match=r"^InternalError$"):
        checks.schedule(CHECK)
