"""No request pays for what all requests share: it is neither rejected nor given up, however often it is received."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from song_intake.admission.circuit_breaker import CircuitBreaker
from song_intake.app.submit import submit_song
from song_intake.aws.signing_key import SigningKeys
from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import RetryIn, SendAnew
from song_intake.domain.outcome import Refused
from song_intake.domain.reason import SHARED, Reason
from song_intake.music_api.token import ApiToken
from song_intake.music_api.webhook import WebhookConfig
from song_intake.work.submission import Submission
from tests.integration import unreachable
from tests.integration.bench import (
    ENDPOINT,
    FINAL_RECEIVE,
    MAX_RECEIVE_COUNT,
    Bench,
    new_id,
    plenty_of_time,
    record_of,
    song,
)
from tests.integration.decisions import decide
from tests.integration.handling import failed
from tests.local.vendor import behaviour
from tests.local.vendor.answer import LYRICS_REFUSED, validation_error
from tests.signing import PROOFS

TITLE = "Night Train"

# The receives from which a message that waits is sent anew: the second half of those on which it is tried.
LATE = range(FINAL_RECEIVE // 2 + 1, FINAL_RECEIVE + 1)

MakeSubmission = Callable[[Bench], Submission]


def _no_connection(bench: Bench) -> Submission:
    bench.vendor.refuse_connections()
    return bench.submission()


def _no_ledger(bench: Bench) -> Submission:
    return bench.submission(dynamodb=unreachable.dynamodb())


def _no_token(bench: Bench) -> Submission:
    return bench.submission(secret_id="no-such-secret")


def _no_secrets_manager(bench: Bench) -> Submission:
    return replace(bench.submission(), api_token=ApiToken(unreachable.secrets(), bench.secret_id))


def _refused_token(bench: Bench) -> Submission:
    bench.vendor.tokens.clear()
    return bench.submission()


def _no_key(bench: Bench) -> Submission:
    return bench.submission(webhook=WebhookConfig(ENDPOINT, SigningKeys(bench.secrets, "no-such-secret"), 60))


def _rate_limited(bench: Bench) -> Submission:
    bench.vendor.plan(TITLE, behaviour.rate_limited())
    return bench.submission()


def _no_credits(bench: Bench) -> Submission:
    bench.vendor.credits = 0
    return bench.submission()


FAULTS: dict[Reason, MakeSubmission] = {
    Reason.CANNOT_CONNECT: _no_connection,
    Reason.LEDGER_UNAVAILABLE: _no_ledger,
    Reason.TOKEN_UNAVAILABLE: _no_token,
    Reason.SECRETS_UNAVAILABLE: _no_secrets_manager,
    Reason.TOKEN_REFUSED: _refused_token,
    Reason.SIGNING_KEY_UNAVAILABLE: _no_key,
    Reason.RATE_LIMITED: _rate_limited,
    Reason.NO_CREDITS: _no_credits,
}


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait of our own choice is as short as it can be."""
    monkeypatch.setattr(random, "uniform", lambda _least, _most: 0.0)


@pytest.mark.parametrize("receives", [1, *LATE])
@pytest.mark.parametrize("reason", FAULTS)
def test_a_request_waits_and_is_sent_anew_before_its_receives_run_out(
    bench: Bench, request_id: str, reason: Reason, receives: int
) -> None:
    submission = FAULTS[reason](bench)
    decision = decide(submission, record_of(song(TITLE, request_id), receives=receives))
    assert isinstance(decision, SendAnew if receives in LATE else RetryIn)
    assert decision.reason is reason
    assert reason in SHARED


@pytest.mark.parametrize("reason", FAULTS)
def test_a_message_that_is_sent_anew_is_told_to_nobody_and_loses_nothing(
    bench: Bench, request_id: str, reason: Reason
) -> None:
    batch = bench.batch(FAULTS[reason](bench))
    body = song(TITLE, request_id, task_token="a-workflow-waits", metadata={"customer": "c-1"})
    record = record_of(body, message_id="message-1", receives=FINAL_RECEIVE, attributes={"trace": "t-1"})
    assert batch.handle([record], plenty_of_time) == {"batchItemFailures": []}
    assert (bench.letters(), bench.bus.details()) == ([], [])
    (anew,) = bench.wait_for_requests()
    assert anew["body"] == body
    texts = {name: attribute["stringValue"] for name, attribute in anew["messageAttributes"].items()}
    assert texts.pop("proof")
    assert texts == {
        "reason": reason.value,
        "first_message_id": "message-1",
        "request_id": request_id,
        "sent_anew_for": "message-1",
        "first_sent_at": "0",
        "trace": "t-1",
    }


def test_a_message_without_an_id_keeps_its_identity_over_any_number_of_copies(bench: Bench) -> None:
    """A copy under another id would be another request, and its song a second one."""
    batch = bench.batch(_no_connection(bench))
    record = record_of(song(TITLE), message_id="message-1", receives=FINAL_RECEIVE)
    for _ in range(3):
        batch.handle([record], plenty_of_time)
        (record,) = bench.wait_for_requests()
        record["attributes"]["ApproximateReceiveCount"] = str(FINAL_RECEIVE)
    message = PROOFS.read(Message.of(record))
    assert (message.first_message_id, message.known_request_id, message.delivery_id) == ("message-1",) * 3
    bench.vendor.accept_connections()
    bench.batch().handle([record], plenty_of_time)
    assert bench.row("message-1")["status"] == "SUBMITTED"


def test_a_rejected_request_is_not_created_again_by_a_copy_of_its_message(bench: Bench, request_id: str) -> None:
    """The letter of the rejected message is out, and its event is not: the copy repeats the steps, not the create."""
    bench.vendor.plan(TITLE, behaviour.refuses(LYRICS_REFUSED))
    work = bench.request_work(notifier=bench.notifier(events=unreachable.events()))
    record = record_of(song(TITLE, request_id), message_id="message-1", receives=FINAL_RECEIVE)
    assert bench.batch_of(work).handle([record], plenty_of_time) == {"batchItemFailures": []}
    assert bench.row(request_id)["status"] == "REJECTED"
    (copy,) = bench.wait_for_requests()
    bench.batch().handle([copy], plenty_of_time)
    assert len(bench.vendor.attempts_of(TITLE)) == 1
    assert [event["status"] for event in bench.bus.details()] == ["REJECTED"]


def test_a_message_that_cannot_be_sent_anew_stays(bench: Bench, request_id: str) -> None:
    work = bench.request_work(_no_connection(bench), request_queue_url=unreachable.GONE)
    for receives in range(1, MAX_RECEIVE_COUNT):
        record = record_of(song(TITLE, request_id), message_id="message-1", receives=receives)
        if receives <= FINAL_RECEIVE:
            failures = bench.batch_of(work).handle([record], plenty_of_time)["batchItemFailures"]
            assert [failure["itemIdentifier"] for failure in failures] == ["message-1"]
    assert bench.letters() == []


def test_a_message_that_crashes_the_function_on_every_receive_ends_as_its_own_fault(
    bench: Bench, request_id: str
) -> None:
    record = record_of(song(TITLE, request_id), receives=FINAL_RECEIVE + 1)
    bench.batch().handle([record], plenty_of_time)
    (letter,) = bench.letters()
    assert letter.attributes["reason"] == "RETRIES_EXHAUSTED"
    assert bench.vendor.requests == ()


def test_three_connections_that_fail_keep_the_other_requests_from_trying(bench: Bench, request_id: str) -> None:
    reports: list[tuple[Reason, float | None]] = []

    def report(reason: Reason, until: float | None) -> bool:
        reports.append((reason, until))
        return True

    bench.vendor.refuse_connections()
    submission = bench.submission(breaker=CircuitBreaker(report))
    decisions = [decide(submission, record_of(song(TITLE, f"{request_id}-{number}"))) for number in range(10)]
    tried = [decision for decision in decisions if isinstance(decision, RetryIn) and "not tried" not in decision.detail]
    assert len(tried) == 3
    assert reports == [(Reason.CANNOT_CONNECT, None)]


def test_a_refusal_of_one_request_is_its_own(bench: Bench) -> None:
    breaker = CircuitBreaker()
    for _ in range(20):
        breaker.record(Refused(Reason.REFUSED, "too long", 422, "validation_error"))
    assert breaker.refusal() is None


def test_the_same_400_to_ten_requests_is_an_alarm_and_no_pause(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.vendor.plan_all(behaviour.refuses(validation_error("use_cdn is required")))
    batch = submit_song(bench.submit_settings(), bench.clients(), bench.telemetry)
    assert bench.bus.events() == []
    for number in range(10):
        assert failed(batch.handle([record_of(song(TITLE, new_id("refused")))], plenty_of_time)) == set()
        assert ("RepeatedRefusals" in capsys.readouterr().out) == (number == 9)
    assert [line["action"] for line in bench.lines()].count("repeated_refusal") == 1
    bench.vendor.plan_all(None)
    batch.handle([record_of(song(TITLE, "created"))], plenty_of_time)
    assert bench.row("created")["status"] == "SUBMITTED"


def test_one_failed_read_of_a_secret_is_one_fault_however_many_requests_wait_for_it(bench: Bench) -> None:
    submission = replace(_no_secrets_manager(bench), breaker=CircuitBreaker())
    for _ in range(7):
        decision = decide(submission, record_of(song(TITLE)))
        assert isinstance(decision, RetryIn)
        assert decision.reason is Reason.SECRETS_UNAVAILABLE
    assert submission.breaker.refusal() is None
