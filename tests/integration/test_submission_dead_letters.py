"""Requests that are refused, in doubt, or created but not recorded, on real parts."""

from collections.abc import Callable

import pytest

from song_intake.domain.decision import DeadLetter, Decision, Done, RequestContext
from song_intake.domain.reason import Reason
from song_intake.ledger.resolving import ResolutionStore
from song_intake.ledger.table import Written
from song_intake.work.submission import Submission
from tests.integration.bench import (
    CREATE_DEADLINE,
    FINAL_RECEIVE,
    MAX_RECEIVE_COUNT,
    Bench,
    new_id,
    record_of,
    song,
)
from tests.integration.decisions import TITLE, abandon, decide, letter_in, record, redriven, retry_in
from tests.local.vendor import answer as vendor_answer
from tests.local.vendor import behaviour
from tests.local.vendor.behaviour import Behaviour

REFUSALS = [
    pytest.param(
        behaviour.refuses(vendor_answer.validation_error("no")), Reason.REFUSED, 400, "validation_error", id="400"
    ),
    pytest.param(behaviour.refuses(vendor_answer.LYRICS_REFUSED), Reason.REFUSED, 403, "forbidden", id="403"),
    pytest.param(behaviour.answers(413, b"<html>", creates=False), Reason.REFUSED, 413, None, id="413"),
]


@pytest.mark.parametrize(("planned", "reason", "status", "code"), REFUSALS)
def test_a_refused_request_is_rejected_and_its_dead_letter_has_the_vendors_code(
    bench: Bench,
    submission: Submission,
    request_id: str,
    planned: Behaviour,
    reason: Reason,
    status: int,
    code: str | None,
) -> None:
    bench.vendor.plan(TITLE, planned)
    letter = letter_in(decide(submission, record(request_id)))
    assert (letter.reason, letter.http_status, letter.vendor_code) == (reason, status, code)
    assert bench.row(request_id)["status"] == "REJECTED"
    again = decide(submission, record(request_id, receives=2))
    assert again == letter, "a redelivery repeats the same dead letter"
    assert len(bench.vendor.attempts_of(TITLE)) == 1


def test_a_rejected_request_that_is_redriven_is_tried_once_more(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    bench.vendor.plan(TITLE, behaviour.refuses(vendor_answer.LYRICS_REFUSED))
    original = record(request_id)
    letter = letter_in(decide(submission, original))
    assert isinstance(decide(submission, redriven(original, letter, request_id)), Done)
    assert len(bench.vendor.creates) == 1


def test_a_rejected_request_id_may_be_used_for_a_corrected_song(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    bench.vendor.plan(TITLE, behaviour.refuses(vendor_answer.LYRICS_REFUSED))
    decide(submission, record(request_id))
    assert isinstance(decide(submission, record(request_id, "message-2", lyrics="others")), Done)


@pytest.mark.parametrize(
    "planned",
    [None, behaviour.rate_limited(), behaviour.cut("start", creates=True)],
    ids=["SUBMITTED", "RETRYING", "IN_DOUBT"],
)
def test_a_request_id_reused_for_another_song_while_the_first_may_exist_is_refused(
    bench: Bench, submission: Submission, request_id: str, planned: Behaviour | None
) -> None:
    if planned:
        bench.vendor.plan(TITLE, planned)
    decide(submission, record(request_id))
    before = bench.item(request_id)
    letter = letter_in(decide(submission, record(request_id, "message-2", lyrics="others")))
    assert letter.reason is Reason.REQUEST_ID_REUSED
    assert bench.item(request_id) == before
    assert len(bench.vendor.requests) == 1


OUTLASTING = [
    pytest.param(behaviour.hang(creates=True), 0.5, id="hangs"),
    pytest.param(behaviour.drip("body", 0.1), 0.5, id="drips"),
]
QUICK = [
    pytest.param(behaviour.cut("start", creates=True), CREATE_DEADLINE, id="cut before the answer"),
    pytest.param(behaviour.cut("body", creates=True), CREATE_DEADLINE, id="cut in the answer"),
    pytest.param(behaviour.fails(vendor_answer.INTERNAL_ERROR, creates=True), CREATE_DEADLINE, id="500"),
    pytest.param(behaviour.fails(vendor_answer.UPSTREAM_FAILED, creates=True), CREATE_DEADLINE, id="502"),
    pytest.param(behaviour.html_page(creates=True), CREATE_DEADLINE, id="an HTML page"),
    pytest.param(behaviour.no_task_id(creates=True), CREATE_DEADLINE, id="no task_id"),
]


@pytest.mark.parametrize(("planned", "deadline"), [*OUTLASTING, *QUICK])
def test_an_unknown_outcome_is_in_doubt_and_no_redelivery_or_redrive_creates_again(
    bench: Bench, request_id: str, planned: Behaviour, deadline: float
) -> None:
    submission = bench.submission(create_deadline=deadline)
    bench.vendor.plan(TITLE, planned)
    original = record(request_id)
    letter = letter_in(decide(submission, original))
    assert letter.reason is Reason.OUTCOME_UNKNOWN
    assert bench.row(request_id)["status"] == "IN_DOUBT"
    assert decide(submission, record(request_id, receives=2)) == letter
    for _ in range(3):
        assert decide(submission, redriven(original, letter, request_id)) == letter
    assert (len(bench.vendor.creates), len(bench.vendor.requests)) == (1, 1)


def test_a_redriven_letter_without_a_request_id_is_identified_by_its_first_message(
    bench: Bench, submission: Submission
) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    original = record_of(song(TITLE), message_id=new_id("message"))
    letter = letter_in(decide(submission, original))
    back = redriven(original, letter, original["messageId"])
    assert letter_in(decide(submission, back)).reason is Reason.OUTCOME_UNKNOWN
    assert len(bench.vendor.requests) == 1


@pytest.mark.parametrize("message_id", ["message-1", "message-2"])
def test_a_claim_whose_lease_is_over_is_in_doubt_and_never_claimed_again(
    bench: Bench, submission: Submission, request_id: str, an_hour_passes: Callable[[], None], message_id: str
) -> None:
    abandon(bench, request_id)
    assert retry_in(decide(submission, record(request_id, message_id))).reason is Reason.CLAIM_HELD
    an_hour_passes()
    letter = letter_in(decide(submission, record(request_id, message_id, receives=2)))
    assert (letter.reason, bench.row(request_id)["status"]) == (Reason.OUTCOME_UNKNOWN, "IN_DOUBT")
    assert bench.vendor.requests == ()


def test_a_response_after_the_claim_was_judged_abandoned_is_still_recorded(bench: Bench, request_id: str) -> None:
    """The lease of the first is over at once. The second judges it while the call is in flight."""
    seen: list[Decision] = []
    second = bench.submission()
    bench.vendor.on_create(TITLE, lambda _: seen.append(decide(second, record(request_id, "message-2"))))
    decision = decide(bench.submission(lease=-1), record(request_id))
    assert letter_in(seen[0]).reason is Reason.OUTCOME_UNKNOWN
    assert isinstance(decision, Done)
    assert bench.row(request_id)["status"] == "SUBMITTED"


@pytest.mark.parametrize(
    "planned", [behaviour.cut("start", creates=False), behaviour.rate_limited()], ids=["cut", "429"]
)
def test_a_call_that_an_operator_found_not_created_is_tried_again_at_once(
    bench: Bench, submission: Submission, request_id: str, planned: Behaviour
) -> None:
    """The lease is over and the operator decides while the first call is under way."""

    def not_created(_: object) -> None:
        store = ResolutionStore(bench.ledger_table())
        row = store.row(request_id)
        assert row is not None
        assert isinstance(store.record_not_created(row, "ada", "not created"), Written)

    bench.vendor.plan(TITLE, planned)
    bench.vendor.on_create(TITLE, not_created)
    retry = retry_in(decide(bench.submission(lease=-1), record(request_id)))
    assert (retry.seconds, retry.reason) == (0, Reason.CLAIM_HELD)
    assert bench.row(request_id)["status"] == "REJECTED"
    assert isinstance(decide(submission, record(request_id, receives=2)), Done)
    assert len(bench.vendor.creates) == 1


def test_an_unrecorded_task_is_on_the_dead_letter_and_its_redrive_records_it(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    bench.vendor.on_create(TITLE, lambda _: bench.delete_table())
    original = record(request_id)
    letter = letter_in(decide(submission, original))
    (made,) = bench.vendor.creates
    assert (letter.reason, letter.task_id) == (Reason.TASK_NOT_RECORDED, made.task_id)

    still_gone = letter_in(decide(submission, redriven(original, letter, request_id)))
    assert (still_gone.reason, still_gone.task_id) == (Reason.TASK_NOT_RECORDED, made.task_id)

    bench.create_table()
    for _ in range(2):
        assert decide(submission, redriven(original, letter, request_id)) == Done(made.task_id)
    assert (bench.row(request_id)["status"], bench.row(request_id)["task_id"]) == ("SUBMITTED", made.task_id)
    assert len(bench.vendor.requests) == 1


@pytest.mark.parametrize("receives", [1, FINAL_RECEIVE, FINAL_RECEIVE + 1, MAX_RECEIVE_COUNT])
def test_a_known_task_is_recorded_on_any_receive_even_without_token_or_vendor(
    bench: Bench, request_id: str, receives: int
) -> None:
    submission = bench.submission(secret_id="no-such-secret")
    bench.vendor.refuse_connections()
    back = redriven(record(request_id), DeadLetter(Reason.TASK_NOT_RECORDED, "", task_id="task-1"), request_id)
    back["attributes"]["ApproximateReceiveCount"] = str(receives)
    assert decide(submission, back) == Done("task-1")
    assert bench.row(request_id)["task_id"] == "task-1"


def test_a_second_task_of_a_submitted_request_is_kept_and_its_message_done(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    first = decide(submission, record(request_id))
    assert isinstance(first, Done)
    back = redriven(record(request_id), DeadLetter(Reason.TASK_NOT_RECORDED, "", task_id="task-2"), request_id)
    assert decide(submission, back) == Done(first.task_id, duplicate=True, origin=RequestContext("message-1", {}))
    assert bench.row(request_id)["other_task_ids"] == ["task-2"]


def test_a_task_of_another_song_under_a_reused_id_is_kept_and_its_message_dead_lettered(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    decide(submission, record(request_id))
    other = record(request_id, lyrics="others")
    back = redriven(other, DeadLetter(Reason.TASK_NOT_RECORDED, "", task_id="task-2"), request_id)
    assert letter_in(decide(submission, back)).reason is Reason.REQUEST_ID_REUSED
    assert bench.row(request_id)["other_task_ids"] == ["task-2"]
