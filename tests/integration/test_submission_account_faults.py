"""After one account fault no other request is tried, and the stack gets an event."""

import json

import pytest

from song_intake.admission.circuit_breaker import FIRST_HOLD_SECONDS, CircuitBreaker
from song_intake.admission.pacer import Reservation, Unpaced
from song_intake.domain.decision import Done
from song_intake.domain.outcome import Retryable
from song_intake.domain.reason import Reason
from song_intake.outgoing.events import AccountFaultPublisher
from song_intake.work.batch import Batch
from tests.integration import unreachable
from tests.integration.bench import Bench, new_id, plenty_of_time, song
from tests.integration.conftest import TimePasses
from tests.integration.decisions import TITLE, decide, record, retry_in
from tests.local.vendor import answer as vendor_answer
from tests.local.vendor.behaviour import Behaviour, rate_limited, refuses


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def breaker(bench: Bench, errors: list[str]) -> CircuitBreaker:
    return CircuitBreaker(report=AccountFaultPublisher(bench.cloud.client("events"), bench.faults.name, errors.append))


def test_after_one_account_fault_no_other_request_is_tried(bench: Bench, breaker: CircuitBreaker) -> None:
    submission = bench.submission(breaker=breaker)
    bench.vendor.credits = 0
    first = retry_in(decide(submission, record(new_id("first"))))
    others = [new_id("other") for _ in range(20)]
    decisions = [retry_in(decide(submission, record(other))) for other in others]
    assert {decision.reason for decision in (first, *decisions)} == {Reason.NO_CREDITS}
    assert all(50 <= (decision.seconds or 0) <= 100 for decision in decisions), "the wait of an account fault"
    assert len(bench.vendor.requests) == 1
    assert [bench.row(other) for other in others] == [{}] * 20


def test_a_request_that_waited_for_its_slot_is_not_tried_after_a_fault(bench: Bench, breaker: CircuitBreaker) -> None:
    class SlowSlots(Unpaced):
        """While a request waits for its slot, another one finds the account without credits."""

        def reserve(self) -> Reservation:
            breaker.record(Retryable(Reason.NO_CREDITS, "no credits"))
            return super().reserve()

    submission = bench.submission(breaker=breaker, pacer=SlowSlots())
    request_id = new_id("waited")
    assert retry_in(decide(submission, record(request_id))).reason is Reason.NO_CREDITS
    assert (len(bench.vendor.requests), bench.row(request_id)) == (0, {})


@pytest.mark.parametrize(
    "answer", [vendor_answer.INSUFFICIENT_CREDITS, vendor_answer.CREDITS_USED_UP, vendor_answer.NO_SUBSCRIPTION]
)
def test_every_response_about_the_account_is_an_account_fault(
    bench: Bench, breaker: CircuitBreaker, answer: vendor_answer.VendorError
) -> None:
    submission = bench.submission(breaker=breaker)
    bench.vendor.plan(TITLE, refuses(answer))
    decide(submission, record(new_id("first")))
    assert retry_in(decide(submission, record(new_id("other")))).reason is Reason.NO_CREDITS
    assert len(bench.vendor.requests) == 1


@pytest.mark.parametrize(
    "answer", [rate_limited(), refuses(vendor_answer.LYRICS_REFUSED)], ids=["429", "403 about lyrics"]
)
def test_a_response_about_the_request_or_the_pace_is_no_account_fault(
    bench: Bench, breaker: CircuitBreaker, answer: Behaviour
) -> None:
    submission = bench.submission(breaker=breaker)
    bench.vendor.plan(TITLE, answer)
    decide(submission, record(new_id("first")))
    assert isinstance(decide(submission, record(new_id("other"))), Done)
    assert bench.faults.events() == []


def test_one_event_is_published_and_it_has_only_the_reason(
    bench: Bench, breaker: CircuitBreaker, errors: list[str]
) -> None:
    submission = bench.submission(breaker=breaker)
    bench.vendor.credits = 0
    for _ in range(5):
        decide(submission, record(new_id("broke"), lyrics="canary text"))
    (event,) = bench.faults.events()
    assert (event["source"], event["detail-type"]) == ("song-intake.account", "Account Fault")
    assert event["detail"] == {"reason": "NO_CREDITS"}
    assert errors == []


def test_a_token_rejected_after_a_fresh_read_is_an_account_fault(bench: Bench, breaker: CircuitBreaker) -> None:
    submission = bench.submission(breaker=breaker)
    bench.vendor.tokens.clear()
    for _ in range(5):
        assert retry_in(decide(submission, record(new_id("refused")))).reason is Reason.TOKEN_REFUSED
    assert len(bench.vendor.requests) == 2
    assert bench.faults.details() == [{"reason": "TOKEN_REFUSED"}]


def test_a_missing_token_is_an_account_fault(bench: Bench, breaker: CircuitBreaker) -> None:
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString='{"api_token": ""}')
    submission = bench.submission(breaker=breaker)
    for _ in range(5):
        assert retry_in(decide(submission, record(new_id("early")))).reason is Reason.TOKEN_UNAVAILABLE
    assert bench.vendor.requests == ()
    assert bench.faults.details() == [{"reason": "TOKEN_UNAVAILABLE"}]


def test_a_token_rotated_in_time_is_no_account_fault(bench: Bench, breaker: CircuitBreaker) -> None:
    submission = bench.submission(breaker=breaker)
    decide(submission, record(new_id("before")))
    bench.vendor.tokens.clear()
    bench.vendor.tokens.add("fresh-token")
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString="fresh-token")
    assert isinstance(decide(submission, record(new_id("after"))), Done)
    assert isinstance(decide(submission, record(new_id("later"))), Done)
    assert bench.faults.details() == []


def test_an_unreachable_bus_fails_no_request_and_the_next_fault_is_published_again(
    bench: Bench, errors: list[str]
) -> None:
    breaker = CircuitBreaker(first_hold=0, report=AccountFaultPublisher(unreachable.events(), "bus", errors.append))
    submission = bench.submission(breaker=breaker)
    bench.vendor.credits = 0
    for _ in range(2):
        assert retry_in(decide(submission, record(new_id("unpublished")))).reason is Reason.NO_CREDITS
    assert errors == ["EndpointConnectionError"] * 2


def test_after_the_hold_one_created_song_resumes_the_other_requests(bench: Bench, time_passes: TimePasses) -> None:
    submission = bench.submission(breaker=CircuitBreaker())
    bench.vendor.plan(TITLE, refuses(vendor_answer.INSUFFICIENT_CREDITS))
    decide(submission, record(new_id("first")))
    assert retry_in(decide(submission, record(new_id("waits")))).reason is Reason.NO_CREDITS
    time_passes(FIRST_HOLD_SECONDS)
    assert isinstance(decide(submission, record(new_id("trial"))), Done)
    assert isinstance(decide(submission, record(new_id("other"))), Done)


def test_a_batch_of_ten_after_the_fault_waits_as_a_whole(bench: Bench, breaker: CircuitBreaker) -> None:
    batch: Batch = bench.batch(bench.submission(breaker=breaker))
    bench.vendor.credits = 0
    bench.send(song("Broke", new_id("broke")))
    batch.handle(bench.receive(), plenty_of_time)
    ids = [bench.send(song("Broke", new_id("broke"))) for _ in range(10)]
    answer = batch.handle(bench.receive(), plenty_of_time)
    assert {failure["itemIdentifier"] for failure in answer["batchItemFailures"]} == set(ids)
    assert len(bench.vendor.attempts_of("Broke")) == 1
    lines = [json.dumps(line) for line in bench.lines()]
    assert sum("not tried, since another request found" in line for line in lines) == 10
