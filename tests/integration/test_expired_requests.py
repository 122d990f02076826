"""A request whose not_after has passed is never created: found where it is received, and before a paid call."""

import time
from collections.abc import Callable

import pytest

from song_intake.admission.circuit_breaker import CircuitBreaker
from song_intake.contract.sqs_message import SqsRecord
from song_intake.domain.decision import DeadLetter, Decision, Done, RetryIn
from song_intake.domain.outcome import Outcome
from song_intake.domain.reason import Reason
from song_intake.domain.status import Status
from song_intake.work.batch import Batch
from song_intake.work.submission import Submission
from tests.conftest import TOKEN
from tests.integration.bench import FINAL_RECEIVE, KEEP_DAYS, MAX_RECEIVE_COUNT, Bench, song
from tests.integration.conftest import TimePasses
from tests.integration.decisions import TITLE, abandon, decide, letter_in, record, redriven
from tests.integration.handling import handle_all
from tests.integration.ledger_case import CHANGES, Case, brought_to
from tests.integration.test_submission_paced import Planned
from tests.integration.workflow import Workflow
from tests.local.vendor import behaviour

A_MINUTE = 60.0
A_DAY = 86_400.0


def in_a_minute() -> float:
    return time.time() + A_MINUTE


def expiring(request_id: str, message_id: str = "message-1", receives: int = 1) -> SqsRecord:
    """A delivery of a message whose deadline is a minute away."""
    return record(request_id, message_id, receives, not_after=in_a_minute())


def is_expired(bench: Bench, request_id: str, decision: Decision) -> bool:
    row = bench.row(request_id)
    return letter_in(decision).reason is Reason.EXPIRED and (row["status"], row["reason"]) == ("REJECTED", "EXPIRED")


@pytest.mark.parametrize("receives", [1, FINAL_RECEIVE, FINAL_RECEIVE + 1, MAX_RECEIVE_COUNT])
def test_a_request_is_expired_on_any_receive_without_a_claim_or_a_call(
    bench: Bench, submission: Submission, request_id: str, time_passes: TimePasses, receives: int
) -> None:
    delivery = expiring(request_id, receives=receives)
    time_passes(A_MINUTE + 1)
    bench.vendor.refuse_connections()
    assert is_expired(bench, request_id, decide(submission, delivery))
    assert "attempt" not in bench.row(request_id)


def test_a_request_in_time_is_created(submission: Submission, request_id: str) -> None:
    assert isinstance(decide(submission, expiring(request_id)), Done)


def test_the_stack_is_not_asked_for_a_slot_or_a_token_for_an_expired_request(bench: Bench, request_id: str) -> None:
    pacer = Planned()
    submission = bench.submission(pacer=pacer, secret_id="no-such-secret")
    assert is_expired(bench, request_id, decide(submission, record(request_id, not_after=1)))
    assert pacer.reserved == 0


def test_a_request_that_expires_while_its_slot_is_awaited_is_not_sent(
    bench: Bench, request_id: str, time_passes: TimePasses
) -> None:
    seen: list[Outcome] = []
    breaker = CircuitBreaker()
    breaker.record = seen.append  # type: ignore[method-assign, assignment]
    pacer = Planned(while_waiting=lambda: time_passes(A_MINUTE + 1))
    decision = decide(bench.submission(pacer=pacer, breaker=breaker), expiring(request_id))
    assert is_expired(bench, request_id, decision)
    assert bench.row(request_id)["attempt"] == "1"
    assert "lease_until" not in bench.row(request_id)
    assert (bench.vendor.requests, seen) == ((), [])


def test_a_create_whose_token_was_refused_is_not_repeated_after_the_deadline(
    bench: Bench, request_id: str, time_passes: TimePasses
) -> None:
    """The first create came in time. The newer token is read after the deadline."""
    delivery = expiring(request_id)
    submission = bench.submission(secret_id=bench.secrets.create_secret(Name=request_id, SecretString="old")["ARN"])
    submission.api_token.current()
    bench.secrets.put_secret_value(SecretId=request_id, SecretString=TOKEN)
    api_token, refresh = submission.api_token, submission.api_token.refresh

    def slow_refresh(refused: object) -> object:
        time_passes(A_MINUTE + 1)
        return refresh(refused)  # type: ignore[arg-type]

    api_token.refresh = slow_refresh  # type: ignore[assignment, method-assign]
    assert isinstance(decide(submission, delivery), RetryIn)
    assert len(bench.vendor.requests) == 1
    assert is_expired(bench, request_id, decide(submission, delivery))
    assert bench.vendor.creates == ()


def test_a_request_that_was_tried_before_expires_while_it_waits(
    bench: Bench, submission: Submission, request_id: str, time_passes: TimePasses
) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    delivery = expiring(request_id)
    assert isinstance(decide(submission, delivery), RetryIn)
    time_passes(A_MINUTE + 1)
    assert is_expired(bench, request_id, decide(submission, delivery))
    assert len(bench.vendor.requests) == 1


def _submitted(bench: Bench, request_id: str) -> None:
    decide(bench.submission(), record(request_id, "message-0"))


def _in_doubt(bench: Bench, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    decide(bench.submission(), record(request_id, "message-0"))


@pytest.mark.parametrize(
    ("begin", "status", "decision"),
    [
        (_submitted, "SUBMITTED", Done),
        (_in_doubt, "IN_DOUBT", DeadLetter),
        (abandon, "SUBMITTING", RetryIn),
    ],
)
def test_the_row_decides_where_a_song_may_exist(
    bench: Bench,
    submission: Submission,
    request_id: str,
    begin: Callable[[Bench, str], None],
    status: str,
    decision: type[Decision],
) -> None:
    begin(bench, request_id)
    before = bench.item(request_id)
    found = decide(submission, record(request_id, not_after=1))
    assert type(found) is decision
    assert getattr(found, "reason", None) is not Reason.EXPIRED
    assert bench.item(request_id) == before
    assert before["status"]["S"] == status


def test_a_request_under_the_id_of_another_one_that_waits_does_not_end_that(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    decide(submission, record(request_id, "message-0"))
    before = bench.item(request_id)
    other = record(request_id, sound="another song", not_after=1)
    assert letter_in(decide(submission, other)).reason is Reason.REQUEST_ID_REUSED
    assert bench.item(request_id) == before


def test_an_expired_request_comes_back_as_its_dead_letter_however_it_is_sent_again(
    bench: Bench, submission: Submission, request_id: str
) -> None:
    delivery = record(request_id, not_after=1)
    letter = letter_in(decide(submission, delivery))
    later = [
        delivery,
        redriven(delivery, letter, request_id),
        record(request_id, "message-2", not_after=time.time() + A_DAY),
        record(request_id, "message-3"),
        record(request_id, "message-4", receives=MAX_RECEIVE_COUNT),
        record(request_id, "message-5", sound="another song"),
    ]
    before = bench.item(request_id)
    assert [letter_in(decide(submission, one)) for one in later] == [letter] * len(later)
    assert (bench.item(request_id), bench.vendor.requests) == (before, ())


def test_the_row_outlives_the_messages_that_met_it(
    bench: Bench, submission: Submission, request_id: str, time_passes: TimePasses
) -> None:
    decide(submission, record(request_id, not_after=1))
    before = bench.row(request_id)["expires_at"]
    time_passes(2 * A_DAY)
    letter_in(decide(submission, record(request_id, "message-2")))
    assert float(bench.row(request_id)["expires_at"]) >= float(before) + 2 * A_DAY - 60
    assert float(before) >= time.time() + (KEEP_DAYS - 3) * A_DAY


def test_everyone_is_notified_once_of_an_expired_request(bench: Bench, batch: Batch, request_id: str) -> None:
    workflow = Workflow.waiting(bench)
    bench.send(song(TITLE, request_id, not_after=1, task_token=workflow.task_token, metadata={"customer": "c-1"}))
    assert handle_all(bench, batch) == set()
    (letter,) = bench.letters()
    (event,) = bench.bus.details()
    assert (letter.attributes["reason"], event["status"], event["reason"]) == ("EXPIRED", "REJECTED", "EXPIRED")
    assert event["metadata"] == {"customer": "c-1"}
    assert workflow.error()[0] == "EXPIRED"
    assert [line["reason"] for line in bench.lines() if line.get("action") == "dead_letter"] == ["EXPIRED"]


def _expired(bench: Bench) -> Case:
    case = brought_to(bench, None)
    case.ledger.record_given_up(case.request, "message-1", Reason.EXPIRED, "expired")
    return case


@pytest.mark.parametrize("change", [name for name in CHANGES if not name.startswith("submitted")])
def test_nothing_but_a_known_task_changes_an_expired_row(bench: Bench, change: str) -> None:
    case = _expired(bench)
    before = case.item
    CHANGES[change](case)
    assert case.item == before


def test_a_known_task_is_recorded_even_then(bench: Bench) -> None:
    case = _expired(bench)
    case.ledger.record_task(case.request, "task-1")
    row = case.stored_row()
    assert (row.status, row.task_id, row.reason) == (Status.SUBMITTED, "task-1", None)
