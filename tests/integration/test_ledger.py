"""What a row of the ledger holds, who wins a race for it, and what a repeated write means."""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest

from song_intake.domain.status import Status
from song_intake.ledger.claim import Claim
from song_intake.ledger.submitting import SubmissionStore
from song_intake.ledger.table import Existing, LedgerUnavailable, Written
from tests.integration import unreachable
from tests.integration.bench import LEASE, Bench, new_id
from tests.integration.ledger_case import (
    CHANGES,
    NO_WINDOW,
    REFUSED,
    RETRYABLE,
    UNKNOWN,
    Case,
    brought_to,
    claimed,
    request_for,
)

T = TypeVar("T")


@pytest.fixture(scope="module")
def bench(shared_bench: Bench) -> Bench:
    return shared_bench


@pytest.fixture
def ledger(bench: Bench) -> SubmissionStore:
    return bench.ledger()


def test_a_claim_writes_its_owner_lease_and_fingerprint_but_no_prompt(bench: Bench, ledger: SubmissionStore) -> None:
    request_id = new_id("request")
    request = request_for(request_id, lyrics="canary lyrics", title="canary title", webhook_secret="canary secret")
    claim = claimed(ledger, request)
    row = bench.row(request_id)
    assert (row["owner"], row["fingerprint"], row["message_id"]) == (claim.owner, request.fingerprint, "message-1")
    assert (row["attempt"], row["metadata"]) == ("1", {"customer": {"S": "c-1"}})
    assert time.time() < float(row["lease_until"]) <= time.time() + LEASE
    assert "canary" not in repr(row)
    assert "slow folk" not in repr(row)


def test_no_status_stores_the_prompt(bench: Bench) -> None:
    for status in Status:
        assert "slow folk" not in repr(brought_to(bench, status).item)


def test_every_attempt_counts_and_has_an_owner_of_its_own(bench: Bench, ledger: SubmissionStore) -> None:
    request = request_for(new_id("request"))
    owners = set()
    for attempt in ("1", "2", "3"):
        claim = claimed(ledger, request)
        owners.add(claim.owner)
        assert bench.row(request.request_id)["attempt"] == attempt
        ledger.record_retrying(claim, RETRYABLE)
    assert len(owners) == 3


def test_a_new_claim_removes_the_reason_of_the_last_attempt(bench: Bench) -> None:
    case = brought_to(bench, Status.RETRYING)
    assert {"reason", "detail", "http_status", "vendor_code"} <= case.row.keys()
    claimed(case.ledger, case.request)
    assert not {"reason", "detail", "http_status", "vendor_code"} & case.row.keys()


@pytest.mark.parametrize(
    ("status", "reason", "http_status", "code"),
    [
        (Status.RETRYING, "RATE_LIMITED", "429", "rate_limited"),
        (Status.REJECTED, "REFUSED", "400", "validation_error"),
        (Status.IN_DOUBT, "OUTCOME_UNKNOWN", None, None),
    ],
)
def test_a_settled_row_has_its_reason_and_no_lease(
    bench: Bench, status: Status, reason: str, http_status: str | None, code: str | None
) -> None:
    row = brought_to(bench, status).row
    assert (row["status"], row["reason"]) == (status, reason)
    assert (row.get("http_status"), row.get("vendor_code")) == (http_status, code)
    assert "lease_until" not in row


def test_a_submitted_row_has_its_task_and_no_failure_reason(bench: Bench) -> None:
    case = brought_to(bench, Status.IN_DOUBT)
    assert isinstance(case.ledger.record_task(case.request, "task-1"), Written)
    assert case.row["task_id"] == "task-1"
    assert not {"reason", "detail", "lease_until"} & case.row.keys()


@pytest.mark.parametrize("start", [None, Status.RETRYING, Status.REJECTED])
def test_one_of_many_concurrent_claims_wins_and_the_others_get_its_row(bench: Bench, start: Status | None) -> None:
    case = brought_to(bench, start)
    results = _at_once(8, lambda number: case.ledger.claim(case.request, f"racer-{number}"))
    (winner,) = (result for result in results if isinstance(result, Claim))
    losers = [result.row for result in results if isinstance(result, Existing) and result.row is not None]
    assert [loser.owner for loser in losers] == [winner.owner] * 7
    assert {loser.status for loser in losers} == {Status.SUBMITTING}


def test_one_of_many_concurrent_tasks_is_kept(bench: Bench, ledger: SubmissionStore) -> None:
    request = request_for(new_id("request"))
    claimed(ledger, request)
    results = _at_once(8, lambda number: ledger.record_task(request, f"task-{number}"))
    assert sum(isinstance(result, Written) for result in results) == 1
    kept = bench.row(request.request_id)["task_id"]
    assert {result.row.task_id for result in results if result.row} == {kept}


def _at_once(count: int, act: Callable[[int], T]) -> list[T]:
    barrier = Barrier(count)

    def run(number: int) -> T:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture
def same_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK repeats a write whose response was lost, with the same owner."""
    owner = uuid.uuid4()
    monkeypatch.setattr(uuid, "uuid4", lambda: owner)


@pytest.mark.usefixtures("same_owner")
def test_a_repeated_claim_is_recognized_as_our_own(bench: Bench, ledger: SubmissionStore) -> None:
    request = request_for(new_id("request"))
    first, again = claimed(ledger, request), claimed(ledger, request)
    assert first == again
    assert bench.row(request.request_id)["attempt"] == "1"


@pytest.mark.usefixtures("same_owner")
def test_a_claim_repeated_after_it_was_judged_abandoned_does_not_allow_a_create(ledger: SubmissionStore) -> None:
    request = request_for(new_id("request"))
    claim = claimed(ledger, request)
    ledger.record_in_doubt(claim, UNKNOWN)
    assert isinstance(ledger.claim(request, "message-1"), Existing)


@pytest.mark.parametrize(
    "settle",
    [
        pytest.param(lambda ledger, claim: ledger.record_retrying(claim, RETRYABLE), id="retrying"),
        pytest.param(lambda ledger, claim: ledger.record_rejected(claim, REFUSED), id="rejected"),
        pytest.param(lambda ledger, claim: ledger.record_in_doubt(claim, UNKNOWN), id="in doubt"),
    ],
)
def test_a_repeated_outcome_is_recognized_as_our_own(
    ledger: SubmissionStore, settle: Callable[[SubmissionStore, Claim], object]
) -> None:
    claim = claimed(ledger, request_for(new_id("request")))
    assert isinstance(settle(ledger, claim), Written)
    assert isinstance(settle(ledger, claim), Written)


def test_a_repeated_task_returns_the_same_task(ledger: SubmissionStore) -> None:
    request = request_for(new_id("request"))
    ledger.record_task(request, "task-1")
    row = ledger.record_task(request, "task-1").row
    assert row is not None
    assert (row.status, row.task_id, row.fingerprint) == (Status.SUBMITTED, "task-1", request.fingerprint)


def test_a_claim_is_judged_abandoned_only_with_the_owner_that_was_read(
    bench: Bench,
) -> None:
    case = brought_to(bench, Status.SUBMITTING)
    seen = case.stored_row()
    case.ledger.record_retrying(case.claim, RETRYABLE)
    second = claimed(case.ledger, case.request)
    existing = case.ledger._record_abandoned(seen, NO_WINDOW).row
    assert existing is not None
    assert (existing.status, existing.owner) == (Status.SUBMITTING, second.owner)


def test_a_late_outcome_of_the_attempt_itself_settles_the_request(bench: Bench) -> None:
    case = brought_to(bench, Status.SUBMITTING)
    assert isinstance(case.ledger._record_abandoned(case.stored_row(), NO_WINDOW), Written)
    assert isinstance(case.ledger.record_task(case.request, "task-1"), Written)
    assert case.row["status"] == "SUBMITTED"


def test_a_second_task_is_kept_beside_the_first(bench: Bench) -> None:
    case = brought_to(bench, Status.SUBMITTED)
    for task in ("task-2", "task-3", "task-2"):
        case.ledger.table.add_other_task(case.request.request_id, task)
    assert (case.row["task_id"], sorted(case.row["other_task_ids"])) == ("task-1", ["task-2", "task-3"])
    assert case.row["status"] == "SUBMITTED"


def test_a_row_keeps_ten_other_tasks_at_most(bench: Bench) -> None:
    case = brought_to(bench, Status.SUBMITTED)
    for number in range(12):
        case.ledger.table.add_other_task(case.request.request_id, f"other-{number}")
    assert len(case.row["other_task_ids"]) == 10


def test_a_second_task_of_an_unknown_request_creates_no_row(bench: Bench, ledger: SubmissionStore) -> None:
    ledger.table.add_other_task("no-such-request", "task-2")
    assert bench.item("no-such-request") == {}


@pytest.mark.parametrize("change", [name for name in CHANGES if name != "abandoned"])
def test_an_unavailable_table_is_reported_without_the_values(bench: Bench, change: str) -> None:
    request = request_for(new_id("request"))
    ledger = bench.ledger(unreachable.dynamodb())
    with pytest.raises(LedgerUnavailable, match=r"^EndpointConnectionError$") as caught:
        CHANGES[change](Case(bench, ledger, request, Claim(request, "owner")))
    assert request.request_id not in str(caught.value)
