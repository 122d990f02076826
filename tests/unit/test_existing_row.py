"""What becomes of a message whose request already has a row: how long it waits, and what it publishes."""

import json
from typing import Any

import pytest

from song_intake.contract.song_request import SongRequest
from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import Decision, Done, RequestContext, RetryIn
from song_intake.domain.reason import Reason
from song_intake.ledger.row import Row
from song_intake.work.existing_row import decision_for_existing

NOW = 1_700_000_000.0
REQUEST = SongRequest.parse(json.dumps({"request_id": "song-1", "sound": "slow folk"}), "message-1")


@pytest.fixture(autouse=True)
def _at_this_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)


def decision(status: str, **attributes: Any) -> Decision:
    """For a row of this request. It came with message-1, and is met by another message."""
    item = {
        "request_id": {"S": REQUEST.request_id},
        "fingerprint": {"S": REQUEST.fingerprint},
        "message_id": {"S": "message-1"},
        "first_message_id": {"S": "message-1"},
        "status": {"S": status},
        **attributes,
    }
    return decision_for_existing(Row.of(item), REQUEST, _another_message())


def _another_message() -> Message:
    record: Any = {
        "messageId": "message-2",
        "receiptHandle": "none",
        "body": "{}",
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
    }
    return Message.of(record)


@pytest.mark.parametrize(
    ("lease_left", "wait"),
    [pytest.param(75.0, 76.0, id="until the lease is over"), pytest.param(-10.0, 1.0, id="it has just ended")],
)
def test_a_message_waits_for_the_claim_of_another_delivery(lease_left: float, wait: float) -> None:
    held = decision("SUBMITTING", owner={"S": "other"}, lease_until={"N": str(NOW + lease_left)})
    assert isinstance(held, RetryIn)
    assert (held.seconds, held.reason) == (wait, Reason.CLAIM_HELD)


@pytest.mark.parametrize("status", ["RETRYING", "REJECTED"])
def test_a_message_whose_row_became_free_meanwhile_comes_back_at_once(status: str) -> None:
    free = decision(status, reason={"S": "RATE_LIMITED"})
    assert isinstance(free, RetryIn)
    assert (free.seconds, free.reason) == (0, Reason.CLAIM_HELD)


def test_a_message_waits_for_the_webhook_of_a_doubt() -> None:
    doubtful = decision("IN_DOUBT", doubt_until={"N": str(NOW + 900)})
    assert isinstance(doubtful, RetryIn)
    assert (doubtful.seconds, doubtful.reason) == (901, Reason.AWAITING_WEBHOOK)


@pytest.mark.parametrize(
    ("attributes", "origin"),
    [
        pytest.param({}, RequestContext("message-1", {"order": "1042"}), id="submit_song publishes it again"),
        pytest.param({"submission_unpublished": {"BOOL": True}}, None, id="the check publishes it"),
    ],
)
def test_a_duplicate_publishes_the_submission_unless_its_check_does(
    attributes: dict[str, Any], origin: RequestContext | None
) -> None:
    metadata = {"M": {"order": {"S": "1042"}}}
    done = decision("SUBMITTED", task_id={"S": "task-1"}, metadata=metadata, **attributes)
    assert isinstance(done, Done)
    assert (done.task_id, done.origin) == ("task-1", origin)
