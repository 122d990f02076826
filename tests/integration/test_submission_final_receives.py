"""The final receives of a message: the handler sends the dead letter itself, and never creates late."""

from collections.abc import Callable

import pytest

from song_intake.domain.decision import Decision, Done, RetryIn
from song_intake.domain.reason import Reason
from song_intake.work.submission import Submission
from tests.integration import unreachable
from tests.integration.bench import (
    FINAL_RECEIVE,
    MAX_RECEIVE_COUNT,
    Bench,
)
from tests.integration.decisions import TITLE, abandon, decide, letter_in, record, redriven, retry_in
from tests.local.vendor import behaviour


def exhausted(decision: Decision, last_reason: Reason) -> None:
    letter = letter_in(decision)
    assert letter.reason is Reason.RETRIES_EXHAUSTED
    assert last_reason in letter.detail


def test_on_its_final_receive_a_message_that_would_wait_is_given_up_with_the_last_reason(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    bench.vendor.plan_all(behaviour.rate_limited())
    assert isinstance(decide(submission, record(request_id, receives=FINAL_RECEIVE - 1)), RetryIn)
    decision = decide(submission, record(request_id, receives=FINAL_RECEIVE))
    exhausted(decision, Reason.RATE_LIMITED)
    row = bench.row(request_id)
    assert (row["status"], row["reason"], row["detail"]) == (
        "REJECTED",
        "RETRIES_EXHAUSTED",
        letter_in(decision).detail,
    )


def test_a_given_up_message_that_is_redriven_is_created(bench: Bench, submission: Submission, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    original = record(request_id, receives=FINAL_RECEIVE)
    letter = letter_in(decide(submission, original))
    again = letter_in(decide(submission, original))
    assert (again.reason, again.detail) == (letter.reason, letter.detail), "a redelivery repeats the dead letter"
    assert isinstance(decide(submission, redriven(original, letter, request_id)), Done)
    assert len(bench.vendor.creates) == 1


@pytest.mark.parametrize("receives", [FINAL_RECEIVE, MAX_RECEIVE_COUNT])
def test_a_message_that_was_never_claimed_is_given_up_too(
    bench: Bench, submission: Submission, request_id: str, receives: int
) -> None:
    bench.vendor.refuse_connections()
    assert letter_in(decide(submission, record(request_id, receives=receives))).reason is Reason.RETRIES_EXHAUSTED
    assert bench.row(request_id)["status"] == "REJECTED"


def test_the_final_receive_itself_still_creates(submission: Submission, request_id: str) -> None:
    assert isinstance(decide(submission, record(request_id, receives=FINAL_RECEIVE)), Done)


@pytest.mark.parametrize("receives", range(FINAL_RECEIVE + 1, MAX_RECEIVE_COUNT + 1))
@pytest.mark.parametrize("status", [None, "RETRYING"])
def test_a_receive_after_the_final_one_never_creates(
    bench: Bench, submission: Submission, request_id: str, receives: int, status: str | None
) -> None:
    if status:
        bench.vendor.plan(TITLE, behaviour.rate_limited())
        decide(submission, record(request_id))
    asked = len(bench.vendor.requests)
    decision = decide(submission, record(request_id, receives=receives))
    assert letter_in(decision).reason is Reason.RETRIES_EXHAUSTED
    assert len(bench.vendor.requests) == asked


@pytest.mark.parametrize("receives", [FINAL_RECEIVE, FINAL_RECEIVE + 1, MAX_RECEIVE_COUNT])
def test_a_submitted_request_is_done_on_any_receive(
    bench: Bench, submission: Submission, request_id: str, receives: int
) -> None:
    decide(submission, record(request_id))
    bench.vendor.refuse_connections()
    assert isinstance(decide(submission, record(request_id, receives=receives)), Done)


@pytest.mark.parametrize("receives", [FINAL_RECEIVE, FINAL_RECEIVE + 1, MAX_RECEIVE_COUNT])
def test_a_request_in_doubt_stays_in_doubt_on_any_receive(
    bench: Bench, submission: Submission, request_id: str, an_hour_passes: Callable[[], None], receives: int
) -> None:
    abandon(bench, request_id)
    an_hour_passes()
    assert letter_in(decide(submission, record(request_id, receives=receives))).reason is Reason.OUTCOME_UNKNOWN
    assert bench.row(request_id)["status"] == "IN_DOUBT"


@pytest.mark.parametrize("receives", range(FINAL_RECEIVE, MAX_RECEIVE_COUNT))
def test_a_message_waits_for_another_deliverys_live_claim_while_receives_are_reserved(
    bench: Bench, submission: Submission, request_id: str, receives: int
) -> None:
    abandon(bench, request_id)
    decision = retry_in(decide(submission, record(request_id, "message-2", receives=receives)))
    assert decision.reason is Reason.CLAIM_HELD
    assert bench.row(request_id)["status"] == "SUBMITTING"


@pytest.mark.parametrize("receives", range(FINAL_RECEIVE, MAX_RECEIVE_COUNT))
def test_a_message_waits_for_an_unavailable_ledger_while_receives_are_reserved(
    bench: Bench, request_id: str, receives: int
) -> None:
    submission = bench.submission(dynamodb=unreachable.dynamodb())
    assert isinstance(decide(submission, record(request_id, receives=receives)), RetryIn)


def test_on_the_last_receive_the_dead_letter_is_sent_without_the_row(bench: Bench, request_id: str) -> None:
    submission = bench.submission(dynamodb=unreachable.dynamodb())
    decision = decide(submission, record(request_id, receives=MAX_RECEIVE_COUNT))
    assert letter_in(decision).reason is Reason.RETRIES_EXHAUSTED


def test_on_the_last_receive_a_live_claim_is_not_awaited_and_left_unchanged(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    abandon(bench, request_id)
    decision = decide(submission, record(request_id, "message-2", receives=MAX_RECEIVE_COUNT))
    assert letter_in(decision).reason is Reason.RETRIES_EXHAUSTED
    assert bench.row(request_id)["status"] == "SUBMITTING"
