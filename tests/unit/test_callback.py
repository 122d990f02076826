"""A callback that Step Functions refuses for good: the task is woken without data, and nothing is repeated."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.reason import Reason
from song_intake.outgoing.callback import TaskCallback
from song_intake.outgoing.events import EventType, SongEvent

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

EVENT = SongEvent(EventType.REJECTED, "r-1", "m-1", reason=Reason.REFUSED)
OPERATIONS = {"succeeded": "send_task_success", "failed": "send_task_failure"}


class Answering:
    """A callback on a stubbed client, and what it reported."""

    def __init__(self, client: "SFNClient", stubber: Stubber) -> None:
        self.stubber = stubber
        self.dropped: list[str] = []
        self.refused: list[str] = []
        self.callback = TaskCallback(lambda: client, self.dropped.append, self.refused.append)

    def answer(self, method: str) -> bool:
        done: bool = getattr(self.callback, method)("a-token", EVENT)
        return done


@pytest.fixture
def answering() -> Iterator[Answering]:
    client = boto3.client("stepfunctions", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield Answering(client, stubber)
        stubber.assert_no_pending_responses()
    client.close()


@pytest.mark.parametrize("method", OPERATIONS)
@pytest.mark.parametrize("code", ["KmsAccessDeniedException", "AccessDeniedException", "InvalidOutput"])
def test_a_refused_answer_is_replaced_by_a_failure_without_data(answering: Answering, method: str, code: str) -> None:
    answering.stubber.add_client_error(OPERATIONS[method], code)
    answering.stubber.add_response("send_task_failure", {}, {"taskToken": "a-token"})
    assert answering.answer(method)
    assert (answering.refused, answering.dropped) == ([code], [])


def test_a_task_that_cannot_be_woken_is_dropped(answering: Answering) -> None:
    answering.stubber.add_client_error("send_task_success", "AccessDeniedException")
    answering.stubber.add_client_error("send_task_failure", "AccessDeniedException")
    assert not answering.answer("succeeded")
    assert answering.refused == ["AccessDeniedException"]


@pytest.mark.parametrize("code", ["TaskDoesNotExist", "TaskTimedOut", "InvalidToken"])
def test_an_answer_that_no_task_waits_for_is_dropped(answering: Answering, code: str) -> None:
    answering.stubber.add_client_error("send_task_success", code)
    assert not answering.answer("succeeded")
    assert (answering.refused, answering.dropped) == ([], [code])


@pytest.mark.parametrize(
    ("code", "http_status"),
    [
        ("ThrottlingException", 400),
        ("KmsThrottlingException", 400),
        ("KMS.ThrottlingException", 400),
        ("ExpiredTokenException", 400),
        ("Any", 500),
    ],
)
def test_an_answer_that_may_succeed_later_is_repeated(answering: Answering, code: str, http_status: int) -> None:
    answering.stubber.add_client_error("send_task_success", code, http_status_code=http_status)
    with pytest.raises(SideEffectFailed, match=rf"^{code}$"):
        answering.answer("succeeded")
    assert (answering.refused, answering.dropped) == ([], [])


def test_a_bare_failure_that_may_succeed_later_is_repeated(answering: Answering) -> None:
    answering.stubber.add_client_error("send_task_success", "AccessDeniedException")
    answering.stubber.add_client_error("send_task_failure", "Any", http_status_code=500)
    with pytest.raises(SideEffectFailed, match=r"^Any$"):
        answering.answer("succeeded")
    assert answering.refused == []
