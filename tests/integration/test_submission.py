"""Requests that are created, or that wait for a retry, on real parts."""

import json

import pytest

from song_intake.domain.decision import Decision, Done, RequestContext
from song_intake.domain.reason import Reason
from song_intake.work.submission import Submission
from tests.integration import unreachable
from tests.integration.bench import (
    LEASE,
    PAID_CALL,
    Bench,
    new_id,
)
from tests.integration.decisions import TITLE, decide, record, retry_in
from tests.local.vendor import answer as vendor_answer
from tests.local.vendor import behaviour
from tests.local.vendor.behaviour import Behaviour


def test_a_created_song_is_done_and_its_task_on_the_row(bench: Bench, submission: Submission, request_id: str) -> None:
    decision = decide(submission, record(request_id, metadata={"customer": "c-1"}))
    (made,) = bench.vendor.creates
    row = bench.row(request_id)
    assert decision == Done(made.task_id)
    assert (row["status"], row["task_id"], row["metadata"]) == ("SUBMITTED", made.task_id, {"customer": {"S": "c-1"}})


@pytest.mark.parametrize("message_id", ["message-1", "message-2"], ids=["delivered twice", "sent twice"])
def test_a_duplicate_of_a_submitted_request_is_done_without_a_create(
    bench: Bench, submission: Submission, request_id: str, message_id: str
) -> None:
    first = decide(submission, record(request_id))
    assert isinstance(first, Done)
    origin = RequestContext("message-1", {})
    assert decide(submission, record(request_id, message_id)) == Done(first.task_id, duplicate=True, origin=origin)
    assert len(bench.vendor.creates) == 1


@pytest.mark.parametrize(
    ("planned", "reason"),
    [
        (behaviour.rate_limited(), Reason.RATE_LIMITED),
        (behaviour.refuses(vendor_answer.INSUFFICIENT_CREDITS), Reason.NO_CREDITS),
        (behaviour.refuses(vendor_answer.NO_SUBSCRIPTION), Reason.NO_CREDITS),
    ],
)
def test_a_transient_refusal_is_retried_and_the_song_created_once(
    bench: Bench, submission: Submission, request_id: str, planned: Behaviour, reason: Reason
) -> None:
    bench.vendor.plan(TITLE, planned)
    decision = retry_in(decide(submission, record(request_id)))
    assert decision.reason is reason
    assert bench.row(request_id)["status"] == "RETRYING"
    assert isinstance(decide(submission, record(request_id, receives=2)), Done)
    assert len(bench.vendor.creates) == 1
    assert bench.row(request_id)["attempt"] == "2"


def test_a_retry_waits_as_long_as_the_vendor_asked(bench: Bench, submission: Submission, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited("777"))
    assert retry_in(decide(submission, record(request_id))).seconds == 777


def test_an_account_fault_waits_near_the_cap(bench: Bench, submission: Submission, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.refuses(vendor_answer.CREDITS_USED_UP))
    seconds = retry_in(decide(submission, record(request_id))).seconds
    assert seconds is not None
    assert 50 <= seconds <= 100


def test_without_a_connection_nothing_is_claimed(bench: Bench, submission: Submission, request_id: str) -> None:
    bench.vendor.refuse_connections()
    assert retry_in(decide(submission, record(request_id))).reason is Reason.CANNOT_CONNECT
    assert bench.row(request_id) == {}


def test_without_a_token_nothing_is_claimed(bench: Bench, request_id: str) -> None:
    submission = bench.submission(secret_id="no-such-secret")
    assert retry_in(decide(submission, record(request_id))).reason is Reason.TOKEN_UNAVAILABLE
    assert bench.row(request_id) == {}
    assert bench.vendor.requests == ()


def test_without_a_ledger_nothing_is_created(bench: Bench, request_id: str) -> None:
    submission = bench.submission(dynamodb=unreachable.dynamodb())
    assert retry_in(decide(submission, record(request_id))).reason is Reason.LEDGER_UNAVAILABLE
    assert bench.vendor.requests == ()


def test_a_message_waits_for_another_deliverys_claim_until_its_lease_is_over(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    seen: list[Decision] = []
    other = bench.submission()
    bench.vendor.on_create(TITLE, lambda _: seen.append(decide(other, record(request_id, "message-2"))))
    assert isinstance(decide(submission, record(request_id)), Done)
    held = retry_in(seen[0])
    assert held.reason is Reason.CLAIM_HELD
    assert held.seconds is not None
    assert LEASE - 5 < held.seconds <= LEASE + 1
    assert len(bench.vendor.requests) == 1


def test_with_too_little_time_left_nothing_is_claimed(bench: Bench, submission: Submission, request_id: str) -> None:
    decision = retry_in(decide(submission, record(request_id), lambda: PAID_CALL - 0.01))
    assert decision.reason is Reason.NO_TIME_LEFT
    assert bench.row(request_id) == {}
    assert bench.vendor.requests == ()


def test_a_claim_that_was_too_slow_is_released_unused(bench: Bench, submission: Submission, request_id: str) -> None:
    times_left = iter([PAID_CALL, PAID_CALL - 0.01])
    decision = retry_in(decide(submission, record(request_id), lambda: next(times_left)))
    assert decision.reason is Reason.NO_TIME_LEFT
    assert bench.row(request_id)["status"] == "RETRYING"
    assert bench.vendor.requests == ()


def test_with_just_enough_time_left_the_create_begins(submission: Submission, request_id: str) -> None:
    assert isinstance(decide(submission, record(request_id), lambda: PAID_CALL), Done)


def test_a_second_try_with_a_fresh_token_needs_the_time_of_a_paid_call_too(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    _rotate(bench)
    times_left = iter([PAID_CALL, PAID_CALL, PAID_CALL - 0.01])
    decision = retry_in(decide(submission, record(request_id), lambda: next(times_left)))
    assert decision.reason is Reason.TOKEN_REFUSED
    assert len(bench.vendor.requests) == 1


def _rotate(bench: Bench) -> None:
    bench.vendor.tokens.clear()
    bench.vendor.tokens.add("fresh-token")


def test_a_token_rotated_while_running_costs_one_more_try_under_the_same_claim(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    decide(submission, record(new_id("before")))
    _rotate(bench)
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString="fresh-token")
    assert isinstance(decide(submission, record(request_id)), Done)
    assert bench.row(request_id)["attempt"] == "1"
    assert [create.token for create in bench.vendor.creates] == ["the-token", "fresh-token"]
    assert len(bench.vendor.requests) == 3


def test_a_token_rejected_twice_leaves_the_message_for_a_retry(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    _rotate(bench)
    decision = retry_in(decide(submission, record(request_id)))
    assert decision.reason is Reason.TOKEN_REFUSED
    assert len(bench.vendor.requests) == 2
    assert (bench.row(request_id)["status"], bench.row(request_id)["http_status"]) == ("RETRYING", "401")


def test_a_rejected_token_is_not_tried_again_while_no_other_is_available(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    decide(submission, record(new_id("before")))
    _rotate(bench)
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString="{}")
    assert retry_in(decide(submission, record(request_id))).reason is Reason.TOKEN_REFUSED
    assert len(bench.vendor.requests) == 2


def test_a_failed_second_connection_proves_that_nothing_was_created(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    decide(submission, record(new_id("before")))
    _rotate(bench)
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString="fresh-token")
    reads = 0

    def time_left() -> float:
        nonlocal reads
        reads += 1
        if reads == 3:  # before the second connect
            bench.vendor.refuse_connections()
        return PAID_CALL

    assert retry_in(decide(submission, record(request_id), time_left)).reason is Reason.CANNOT_CONNECT
    assert bench.row(request_id)["status"] == "RETRYING"


@pytest.mark.parametrize(
    "planned",
    [
        behaviour.usual(),
        behaviour.rate_limited(),
        behaviour.cut("start", creates=True),
        behaviour.answers(403, b'{"type": "canary", "error": "lyrics: canary text"}', creates=False),
        behaviour.answers(400, b'{"type": "canary text", "error": "canary text"}', creates=False),
    ],
    ids=["created", "rate limited", "in doubt", "refused, quoting the lyrics", "refused, with text as the code"],
)
def test_neither_decision_nor_row_repeats_the_prompt_or_the_token(
    bench: Bench, submission: Submission, request_id: str, planned: Behaviour
) -> None:
    bench.vendor.plan(TITLE, planned)
    decision = decide(submission, record(request_id, lyrics="canary text"))
    assert "canary text" not in repr((decision, bench.item(request_id), submission))
    assert "the-token" not in repr((decision, bench.item(request_id), submission))


def test_the_create_body_is_the_canonical_request_without_our_fields(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    ours = {"customer": "c-1"}
    decide(submission, record(request_id, metadata=ours, task_token="token", lyrics="la la"))
    (sent,) = bench.vendor.requests
    assert json.loads(sent.body) == {
        "task_type": "create_music",
        "title": TITLE,
        "sound": "slow folk",
        "lyrics": "la la",
    }
