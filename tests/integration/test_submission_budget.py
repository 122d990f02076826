"""A request and the budget of its day, on real parts: what is counted, what is given back, and how it waits."""

import json
import time

import pytest

from song_intake.admission.budget_item import BUDGET_KEY, day_of
from song_intake.admission.circuit_breaker import CircuitBreaker
from song_intake.contract.sqs_message import SqsRecord
from song_intake.domain.decision import DeadLetter, Done, SendAnew
from song_intake.domain.reason import Reason
from tests.integration import unreachable
from tests.integration.bench import Bench, new_id
from tests.integration.decisions import TITLE, abandon, decide, record, retry_in
from tests.local.vendor import answer as vendor_answer
from tests.local.vendor import behaviour

SHOP, RADIO = "AROASHOP", "AROARADIO"
INVALID = vendor_answer.VendorError(400, "validation_error", "sound is too long")
NOON = 1_800_014_400.0
HOURS = 3600.0


def sent_by(sender: str, given: SqsRecord) -> SqsRecord:
    given["attributes"]["SenderId"] = f"{sender}:session-{new_id('s')}"
    return given


def new(sender: str = SHOP, receives: int = 1) -> SqsRecord:
    return sent_by(sender, record(new_id("budget"), new_id("message"), receives))


def counted(bench: Bench) -> dict[str, int]:
    row = bench.row(BUDGET_KEY + day_of(time.time()))
    return {name: int(row[name]) for name in row if name == "used" or name.startswith("by:")}


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON)


def test_a_create_is_counted_for_the_stack_and_its_sender(bench: Bench) -> None:
    submission = bench.submission(creates_per_day=10)
    assert isinstance(decide(submission, new()), Done)
    assert isinstance(decide(submission, new()), Done)
    assert isinstance(decide(submission, new(RADIO)), Done)
    assert counted(bench) == {"used": 3, f"by:{SHOP}": 2, f"by:{RADIO}": 1}


def test_without_a_budget_nothing_is_counted(bench: Bench) -> None:
    decide(bench.submission(), new())
    assert counted(bench) == {}


def test_a_sender_over_its_limit_waits_hidden_and_the_others_go_on(bench: Bench) -> None:
    submission = bench.submission(creates_per_day_and_sender=1)
    decide(submission, new())
    waits = retry_in(decide(submission, new()))
    assert waits.reason is Reason.SENDER_BUDGET_SPENT
    assert 8 * HOURS < (waits.seconds or 0) <= 11 * HOURS
    assert isinstance(decide(submission, new(RADIO)), Done)
    assert len(bench.vendor.creates) == 2


def test_the_last_hours_of_the_day_are_waited_for_exactly_and_one_request_after_another_returns(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON + 10 * HOURS)
    submission = bench.submission(creates_per_day_and_sender=1)
    decide(submission, new())
    waits = [retry_in(decide(submission, new())).seconds for _ in range(3)]
    assert waits == [pytest.approx(2 * HOURS + 0.2 * number) for number in range(3)]


def test_a_message_that_was_received_before_is_sent_anew(bench: Bench) -> None:
    submission = bench.submission(creates_per_day_and_sender=1)
    decide(submission, new())
    decision = decide(submission, new(receives=2))
    assert isinstance(decision, SendAnew)
    assert (decision.seconds, decision.reason) == (900, Reason.SENDER_BUDGET_SPENT)


def test_a_remembered_refusal_costs_no_call_of_the_table(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = bench.submission(creates_per_day_and_sender=1)
    decide(submission, new())
    decide(submission, new())
    bench.delete_table()
    assert retry_in(decide(submission, new())).reason is Reason.SENDER_BUDGET_SPENT
    monkeypatch.setattr(time, "time", lambda: NOON + 12 * HOURS)
    assert retry_in(decide(submission, new())).reason is Reason.LEDGER_UNAVAILABLE, "another day: the table is asked"


def test_a_clock_that_was_set_back_ends_a_remembered_refusal(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = bench.submission(creates_per_day_and_sender=1)
    decide(submission, new())
    decide(submission, new())
    monkeypatch.setattr(time, "time", lambda: NOON - 13 * HOURS)
    assert isinstance(decide(submission, new()), Done)


def test_a_request_that_expires_before_the_next_day_returns_when_it_expires(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = bench.submission(creates_per_day_and_sender=1)
    decide(submission, new())
    late = sent_by(SHOP, record(new_id("late"), not_after=NOON + 600))
    assert retry_in(decide(submission, late)).seconds == 601
    monkeypatch.setattr(time, "time", lambda: NOON + 601)
    assert decide(submission, late).reason is Reason.EXPIRED


def test_the_next_day_has_its_own_budget(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = bench.submission(creates_per_day_and_sender=1)
    decide(submission, new())
    waiting = new()
    decide(submission, waiting)
    monkeypatch.setattr(time, "time", lambda: NOON + 12 * HOURS)
    assert isinstance(decide(submission, waiting), Done)


def test_a_spent_budget_of_the_stack_opens_the_breaker_and_is_reported_until_midnight(bench: Bench) -> None:
    reports: list[tuple[Reason, float | None]] = []

    def report(reason: Reason, until: float | None) -> bool:
        reports.append((reason, until))
        return True

    breaker = CircuitBreaker(report)
    submission = bench.submission(creates_per_day=1, breaker=breaker)
    decide(submission, new())
    for _ in range(2):
        waits = retry_in(decide(submission, new(RADIO)))
        assert waits.reason is Reason.BUDGET_SPENT
        assert (waits.seconds or 0) <= 100, "the cap: the intake is paused, and may resume before the day ends"
    assert reports == [(Reason.BUDGET_SPENT, NOON + 12 * HOURS)]


@pytest.mark.parametrize(
    "planned",
    [
        behaviour.rate_limited("7"),
        behaviour.refuses(vendor_answer.CREDITS_USED_UP),
        behaviour.refuses(INVALID),
    ],
    ids=["429", "no credits", "refused"],
)
def test_a_create_that_the_vendor_refused_is_given_back(bench: Bench, planned: behaviour.Behaviour) -> None:
    bench.vendor.plan(TITLE, planned)
    decide(bench.submission(creates_per_day=10), new())
    assert counted(bench) == {"used": 0, f"by:{SHOP}": 0}


def test_an_unknown_outcome_stays_counted(bench: Bench) -> None:
    bench.vendor.plan(TITLE, behaviour.cut("start", creates=True))
    decide(bench.submission(creates_per_day=10), new())
    assert counted(bench)["used"] == 1


def test_a_duplicate_gives_its_create_back(bench: Bench, request_id: str) -> None:
    submission = bench.submission(creates_per_day=10)
    for message in ("message-1", "message-2"):
        assert isinstance(decide(submission, sent_by(SHOP, record(request_id, message))), Done)
    assert counted(bench)["used"] == 1


def test_a_create_for_which_no_time_was_left_is_given_back(bench: Bench) -> None:
    decide(bench.submission(creates_per_day=10), new(), lambda: 1.0)
    assert counted(bench)["used"] == 0


def test_a_redelivery_after_a_crash_is_decided_by_its_row_over_the_budget_too(bench: Bench, request_id: str) -> None:
    submission = bench.submission(creates_per_day_and_sender=1)
    first = sent_by(SHOP, record(request_id))
    assert isinstance(decide(submission, first), Done)
    assert retry_in(decide(submission, new())).reason is Reason.SENDER_BUDGET_SPENT
    again = decide(submission, sent_by(SHOP, record(request_id, receives=2)))
    assert isinstance(again, Done)
    assert again.duplicate


def test_an_abandoned_claim_becomes_a_doubt_over_the_budget_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = new_id("abandoned")
    abandon(bench, request_id)
    submission = bench.submission(creates_per_day_and_sender=1)
    decide(submission, new())
    decide(submission, new())
    monkeypatch.setattr(time, "time", lambda: NOON + HOURS)
    decision = decide(submission, sent_by(SHOP, record(request_id, receives=2)))
    assert isinstance(decision, DeadLetter)
    assert decision.reason is Reason.OUTCOME_UNKNOWN


def test_a_claim_that_is_held_waits_for_its_lease_over_the_budget_too(bench: Bench, request_id: str) -> None:
    abandon(bench, request_id)
    submission = bench.submission(creates_per_day_and_sender=1)
    decide(submission, new())
    decide(submission, new())
    decision = decide(submission, sent_by(SHOP, record(request_id, receives=2)))
    assert retry_in(decision).reason is Reason.CLAIM_HELD


def test_rows_that_need_a_create_wait_for_the_budget(bench: Bench, request_id: str) -> None:
    bench.vendor.plan(TITLE, behaviour.rate_limited("7"), behaviour.refuses(INVALID))
    submission = bench.submission(creates_per_day_and_sender=1)
    decide(submission, sent_by(SHOP, record(request_id)))
    rejected = new_id("rejected")
    decide(submission, sent_by(SHOP, record(rejected, "message-2")))
    decide(submission, new())
    decide(submission, new())
    assert decide(submission, sent_by(SHOP, record(request_id, receives=2))).reason is Reason.SENDER_BUDGET_SPENT
    assert decide(submission, sent_by(SHOP, record(rejected, "redriven", 2))).reason is Reason.SENDER_BUDGET_SPENT
    own = decide(submission, sent_by(SHOP, record(rejected, "message-2", 2)))
    assert (type(own), own.reason) == (DeadLetter, Reason.REFUSED)


def test_without_the_table_nothing_is_created(bench: Bench) -> None:
    submission = bench.submission(creates_per_day=1, dynamodb=unreachable.dynamodb())
    assert retry_in(decide(submission, new())).reason is Reason.LEDGER_UNAVAILABLE
    assert bench.vendor.requests == ()


def test_each_create_reports_the_use_of_the_limits(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    submission = bench.submission(creates_per_day=4, creates_per_day_and_sender=2)
    for sender in (SHOP, SHOP, RADIO, SHOP):
        decide(submission, new(sender))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "BudgetUsed" in line]
    assert [(line["sender"], line["BudgetUsed"], line["SenderBudgetUsed"]) for line in lines] == [
        (SHOP, 25.0, 50.0),
        (SHOP, 50.0, 100.0),
        (RADIO, 75.0, 100.0),
        (SHOP, 75.0, 100.0),
    ]
    (directive,) = lines[0]["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service"]]
    assert (directive["Namespace"], lines[0]["service"]) == ("SongIntake", bench.table)
