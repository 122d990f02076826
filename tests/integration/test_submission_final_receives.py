"""The last receives of a message: it is sent anew in time; one that crashes the function each time is given up."""

from collections.abc import Callable

import pytest

from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import DeadLetter, Done, SendAnew
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.work.submission import Submission
from tests.integration import unreachable
from tests.integration.bench import FINAL_RECEIVE, LEASE, MAX_RECEIVE_COUNT, Bench, record_of
from tests.integration.decisions import TITLE, abandon, decide, letter_in, record, redriven
from tests.integration.ledger_case import brought_to
from tests.local.vendor import behaviour
from tests.signing import signed

AFTER_THE_FINAL_ONE = range(FINAL_RECEIVE + 1, MAX_RECEIVE_COUNT + 1)


def test_the_final_receive_itself_still_creates(submission: Submission, request_id: str) -> None:
    assert isinstance(decide(submission, record(request_id, receives=FINAL_RECEIVE)), Done)


@pytest.mark.parametrize("receives", AFTER_THE_FINAL_ONE)
@pytest.mark.parametrize("status", [None, "RETRYING"])
def test_a_message_that_crashed_the_function_on_every_receive_is_given_up_without_a_create(
    bench: Bench, submission: Submission, request_id: str, receives: int, status: str | None
) -> None:
    if status:
        bench.vendor.plan(TITLE, behaviour.rate_limited())
        decide(submission, record(request_id))
    asked = len(bench.vendor.requests)
    letter = letter_in(decide(submission, record(request_id, receives=receives)))
    assert letter.reason is Reason.RETRIES_EXHAUSTED
    assert "crashed" in letter.detail
    assert len(bench.vendor.requests) == asked
    row = bench.row(request_id)
    assert (row["status"], row["reason"], row["detail"]) == ("REJECTED", "RETRIES_EXHAUSTED", letter.detail)


def test_a_given_up_message_that_is_redriven_is_created(bench: Bench, submission: Submission, request_id: str) -> None:
    original = record(request_id, receives=MAX_RECEIVE_COUNT)
    letter = letter_in(decide(submission, original))
    again = letter_in(decide(submission, original))
    assert (again.reason, again.detail) == (letter.reason, letter.detail), "a redelivery repeats the dead letter"
    assert isinstance(decide(submission, redriven(original, letter, request_id)), Done)
    assert len(bench.vendor.creates) == 1


def test_the_row_of_a_request_that_is_given_up_names_the_message_that_was_sent_first(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    again = redriven(record(request_id), DeadLetter(Reason.UNFORESEEN, "moved by SQS"), request_id)
    again["attributes"]["ApproximateReceiveCount"] = str(MAX_RECEIVE_COUNT)
    assert letter_in(decide(submission, again)).reason is Reason.RETRIES_EXHAUSTED
    row = bench.row(request_id)
    assert (row["first_message_id"], row["message_id"]) == ("message-1", again["messageId"])


@pytest.mark.parametrize("receives", AFTER_THE_FINAL_ONE)
def test_a_submitted_request_is_done_on_any_receive(
    bench: Bench, submission: Submission, request_id: str, receives: int
) -> None:
    decide(submission, record(request_id))
    bench.vendor.refuse_connections()
    assert isinstance(decide(submission, record(request_id, receives=receives)), Done)


@pytest.mark.parametrize("receives", [FINAL_RECEIVE, *AFTER_THE_FINAL_ONE])
def test_a_request_in_doubt_stays_in_doubt_on_any_receive(
    bench: Bench, submission: Submission, request_id: str, an_hour_passes: Callable[[], None], receives: int
) -> None:
    abandon(bench, request_id)
    an_hour_passes()
    assert letter_in(decide(submission, record(request_id, receives=receives))).reason is Reason.OUTCOME_UNKNOWN
    assert bench.row(request_id)["status"] == "IN_DOUBT"


@pytest.mark.parametrize("receives", [FINAL_RECEIVE, *AFTER_THE_FINAL_ONE])
def test_a_message_waits_for_another_deliverys_live_claim_however_often_it_is_received(
    bench: Bench, submission: Submission, request_id: str, receives: int
) -> None:
    abandon(bench, request_id)
    decision = decide(submission, record(request_id, "message-2", receives=receives))
    assert isinstance(decision, SendAnew)
    assert decision.reason is Reason.CLAIM_HELD
    assert LEASE - 30 < decision.seconds <= LEASE + 1, "until the lease is over"
    assert bench.row(request_id)["status"] == "SUBMITTING"


@pytest.mark.parametrize("receives", [FINAL_RECEIVE, *AFTER_THE_FINAL_ONE])
def test_a_message_waits_for_an_unavailable_ledger_however_often_it_is_received(
    bench: Bench, request_id: str, receives: int
) -> None:
    submission = bench.submission(dynamodb=unreachable.dynamodb())
    decision = decide(submission, record(request_id, receives=receives))
    assert isinstance(decision, SendAnew)
    assert decision.reason is Reason.LEDGER_UNAVAILABLE


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, (DeadLetter, Reason.RETRIES_EXHAUSTED)),
        (Status.RETRYING, (DeadLetter, Reason.RETRIES_EXHAUSTED)),
        (Status.SUBMITTING, (SendAnew, Reason.CLAIM_HELD)),
        (Status.IN_DOUBT, (DeadLetter, Reason.OUTCOME_UNKNOWN)),
        (Status.SUBMITTED, (Done, None)),
        (Status.FAILED, (Done, None)),
    ],
)
def test_after_an_unexpected_error_on_the_last_receive_the_row_decides(
    bench: Bench, submission: Submission, status: Status | None, expected: tuple[type, Reason | None]
) -> None:
    case = brought_to(bench, status)
    message = Message.of(record_of("{}", message_id="message-2", receives=MAX_RECEIVE_COUNT))
    decision = submission.on_unexpected_error(message, ValueError(), case.request)
    assert (type(decision), decision.reason) == expected


def test_after_an_unexpected_error_on_the_last_receive_a_message_waits_for_an_unavailable_ledger(bench: Bench) -> None:
    submission = bench.submission(dynamodb=unreachable.dynamodb())
    request = brought_to(bench, None).request
    message = Message.of(record_of("{}", receives=MAX_RECEIVE_COUNT))
    decision = submission.on_unexpected_error(message, ValueError(), request)
    assert (type(decision), decision.reason) == (SendAnew, Reason.LEDGER_UNAVAILABLE)


def test_after_an_unexpected_error_on_the_last_receive_a_known_task_stays_on_the_letter(
    bench: Bench, submission: Submission
) -> None:
    attributes = {"reason": "TASK_NOT_RECORDED", "first_message_id": "message-1", "task_id": "task-1"}
    record = record_of("{}", receives=MAX_RECEIVE_COUNT, attributes=signed("{}", attributes))
    message = bench.proofs.read(Message.of(record))
    case = brought_to(bench, None)
    letter = letter_in(submission.on_unexpected_error(message, ValueError(), case.request))
    assert (letter.reason, letter.task_id) == (Reason.TASK_NOT_RECORDED, "task-1")
    assert case.item == {}, "a song exists, so it is not rejected"


def test_after_an_unexpected_error_on_the_last_receive_an_invalid_message_is_given_up(submission: Submission) -> None:
    message = Message.of(record_of("{}", receives=MAX_RECEIVE_COUNT))
    letter = letter_in(submission.on_unexpected_error(message, ValueError(), None))
    assert letter.reason is Reason.RETRIES_EXHAUSTED
