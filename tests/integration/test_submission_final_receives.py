"""The last receives of a message: it is sent anew in time; one that crashes the function each time is given up."""

from collections.abc import Callable

import pytest

from song_intake.domain.decision import Done, SendAnew
from song_intake.domain.reason import Reason
from song_intake.work.submission import Submission
from tests.integration import unreachable
from tests.integration.bench import FINAL_RECEIVE, MAX_RECEIVE_COUNT, Bench
from tests.integration.decisions import TITLE, abandon, decide, letter_in, record, redriven
from tests.local.vendor import behaviour

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
    assert bench.row(request_id)["status"] == "SUBMITTING"


@pytest.mark.parametrize("receives", [FINAL_RECEIVE, *AFTER_THE_FINAL_ONE])
def test_a_message_waits_for_an_unavailable_ledger_however_often_it_is_received(
    bench: Bench, request_id: str, receives: int
) -> None:
    submission = bench.submission(dynamodb=unreachable.dynamodb())
    decision = decide(submission, record(request_id, receives=receives))
    assert isinstance(decision, SendAnew)
    assert decision.reason is Reason.LEDGER_UNAVAILABLE
