"""A check is read from its queue as it was written."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import cast

import boto3
import pytest
from botocore.stub import Stubber

from song_intake.contract.hint import SignedHint
from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import SideEffectFailed
from song_intake.outgoing.checks import SongCheck, SongChecks, _Order
from song_intake.work.check_work import CheckWork

CHECK = SongCheck("request:1", "täsk-1", 1_700_000_000.125, unknown_since=1_700_000_060.5)
SENT_AT = 1_700_000_090.0


HINT = SignedHint("hint-1", is_late=True, proof="0" * 64)


@pytest.mark.parametrize("check", [CHECK, replace(CHECK, unknown_since=None), replace(CHECK, hint=HINT)])
def test_a_check_is_read_as_it_was_written(check: SongCheck) -> None:
    assert SongCheck.parse(json.dumps(asdict(check)), SENT_AT) == check


@pytest.mark.parametrize(("no_such_task", "unknown_since"), [(True, SENT_AT), (False, None)])
def test_a_check_of_the_release_before_is_read(no_such_task: bool, unknown_since: float | None) -> None:  # noqa: FBT001
    body = {"request_id": "request:1", "task_id": "täsk-1", "since": CHECK.since, "no_such_task": no_such_task}
    assert SongCheck.parse(json.dumps(body), SENT_AT) == replace(CHECK, unknown_since=unknown_since)


def test_a_check_without_a_time_counts_from_the_moment_when_it_was_sent() -> None:
    body = {"request_id": "request:1", "task_id": "täsk-1"}
    assert SongCheck.parse(json.dumps(body), SENT_AT) == SongCheck("request:1", "täsk-1", SENT_AT)


def test_track_song_counts_from_the_moment_when_sqs_received_such_a_check() -> None:
    message = Message("m-1", "receipt", json.dumps({"request_id": "request:1", "task_id": "täsk-1"}), 1, SENT_AT, {})
    assert CheckWork.parse(cast("CheckWork", None), message).since == SENT_AT


@pytest.mark.parametrize(
    "hint", [None, "hint-1", [], {}, {"hint_id": "h", "is_late": False}, {**asdict(HINT), "is_late": "false"}], ids=str
)
def test_a_hint_of_another_form_is_no_hint(hint: object) -> None:
    assert SongCheck.parse(json.dumps({**asdict(CHECK), "hint": hint})) == CHECK


@pytest.mark.parametrize("request_id", ["#pace", "#intake", "", None, 7, "a b"])
def test_a_check_of_no_request_is_an_error(request_id: object) -> None:
    with pytest.raises(ValueError, match="names no request"):
        SongCheck.parse(json.dumps({"request_id": request_id, "task_id": "task-1"}))


@pytest.mark.parametrize("missing", ["request_id", "task_id"])
def test_a_body_without_its_request_or_task_is_an_error(missing: str) -> None:
    fields = {name: value for name, value in asdict(CHECK).items() if name != missing}
    with pytest.raises(KeyError):
        SongCheck.parse(json.dumps(fields))


@pytest.mark.parametrize(
    "body", ["", "not JSON", "[]", '"text"', "null", '{"request_id": "r", "task_id": "t", "since": []}']
)
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
