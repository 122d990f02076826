"""Claims and tasks written in batches: what they write, and that a refused statement is written singly."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from song_intake.contract.song_request import SongRequest
from song_intake.domain.status import Status
from song_intake.ledger.batches import LedgerBatches
from song_intake.ledger.claim import Claim
from song_intake.ledger.row import identity
from song_intake.ledger.submitting import SubmissionStore
from song_intake.ledger.table import Written
from song_intake.music_api.webhook import no_window
from tests.integration.bench import LEASE, Bench, new_id
from tests.integration.ledger_case import RETRYABLE, claimed, request_for

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Different in every write.
VOLATILE = {"request_id", "owner", "created_at", "updated_at", "expires_at", "lease_until"}


@pytest.fixture(scope="module")
def bench(shared_bench: Bench) -> Bench:
    return shared_bench


@pytest.fixture
def ledger(bench: Bench) -> SubmissionStore:
    return bench.ledger()


@pytest.fixture
def batches(bench: Bench) -> LedgerBatches:
    return LedgerBatches(bench.ledger_table())


def stable_attributes(bench: Bench, request: SongRequest) -> dict[str, object]:
    item = bench.item(request.request_id)
    assert item.keys() >= VOLATILE - {"lease_until", "expires_at"}
    return {name: value for name, value in item.items() if name not in VOLATILE}


def test_a_first_claim_in_a_batch_writes_the_same_row_as_the_single_write(
    bench: Bench, ledger: SubmissionStore
) -> None:
    batched, single = request_for(new_id("request")), request_for(new_id("request"))
    claimed(ledger, batched)
    assert isinstance(ledger._claimed(Claim(single, "owner"), identity(single, "message-1")), Written)
    assert stable_attributes(bench, batched) == stable_attributes(bench, single)
    assert bench.item(batched.request_id).keys() == bench.item(single.request_id).keys()


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_task_recorded_in_a_batch_writes_the_same_row_as_the_single_write(
    bench: Bench, ledger: SubmissionStore, attempts: int
) -> None:
    batched, single = request_for(new_id("request")), request_for(new_id("request"))
    for request in (batched, single):
        for _ in range(attempts - 1):
            assert isinstance(ledger.record_retrying(claimed(ledger, request), RETRYABLE), Written)
    assert isinstance(ledger.record_task(batched, "task-1", claimed(ledger, batched)), Written)
    claimed(ledger, single)
    assert isinstance(ledger.record_task(single, "task-1"), Written)
    assert stable_attributes(bench, batched) == stable_attributes(bench, single)
    assert bench.item(batched.request_id).keys() == bench.item(single.request_id).keys()


def test_many_threads_claim_and_record_each_their_own_request(bench: Bench, ledger: SubmissionStore) -> None:
    requests = [request_for(new_id("request"), sound=f"sound {number}") for number in range(60)]

    def submit(request: SongRequest) -> None:
        claim = claimed(ledger, request)
        assert isinstance(ledger.record_task(request, f"task of {request.request_id}", claim), Written)

    with ThreadPoolExecutor(max_workers=30) as threads:
        list(threads.map(submit, requests))
    for request in requests:
        row = bench.row(request.request_id)
        assert (row["status"], row["task_id"]) == (Status.SUBMITTED, f"task of {request.request_id}")
        assert row["fingerprint"] == request.fingerprint


def test_an_existing_row_is_not_created_again(bench: Bench, batches: LedgerBatches, ledger: SubmissionStore) -> None:
    request = request_for(new_id("request"))
    claimed(ledger, request)
    before = bench.item(request.request_id)
    assert not batches.insert(request.request_id, identity(request, "message-2"))
    assert bench.item(request.request_id) == before


def test_two_writes_of_one_row_are_not_sent_in_one_call(bench: Bench, batches: LedgerBatches) -> None:
    request, other = request_for(new_id("request")), request_for(new_id("request"))
    orders = [
        batches._insertion(request.request_id, identity(request, "message-1")),
        batches._insertion(request.request_id, identity(request, "message-2")),
        batches._insertion(other.request_id, identity(other, "message-3")),
    ]
    assert batches._execute(orders) == [True, False, True]
    assert bench.row(request.request_id)["message_id"] == "message-1"


@pytest.mark.parametrize("owner", ["another", ""])
def test_only_the_owner_of_a_claim_records_its_task(
    bench: Bench, ledger: SubmissionStore, batches: LedgerBatches, owner: str
) -> None:
    request = request_for(new_id("request"))
    claimed(ledger, request)
    before = bench.item(request.request_id)
    assert not batches.record_task(request.request_id, owner, "task-1")
    assert bench.item(request.request_id) == before


def test_recording_a_task_creates_no_missing_row(bench: Bench, batches: LedgerBatches) -> None:
    assert not batches.record_task("no-such-request", "owner", "task-1")
    assert bench.item("no-such-request") == {}


class RefusesBatches:
    """A client whose batches are refused as a whole, as for a role without the permission."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def batch_execute_statement(self, **_: object) -> None:
        refusal = {"Error": {"Code": "AccessDeniedException", "Message": "simulated"}}
        raise ClientError(cast("Any", refusal), "BatchExecuteStatement")


def test_a_batch_refused_as_a_whole_is_written_singly_and_reported(bench: Bench) -> None:
    refusals: list[str] = []
    table = bench.ledger_table(cast("DynamoDBClient", RefusesBatches(bench.dynamodb)))
    ledger = SubmissionStore(table, LEASE, no_window, refusals.append)
    request = request_for(new_id("request"))
    claim = claimed(ledger, request)
    assert isinstance(ledger.record_task(request, "task-1", claim), Written)
    assert bench.row(request.request_id)["task_id"] == "task-1"
    assert refusals == ["AccessDeniedException"] * 2


class RefusesStatements(RefusesBatches):
    """A client that answers every batch, and refuses each of its statements with this code."""

    def __init__(self, client: "DynamoDBClient", code: str) -> None:
        super().__init__(client)
        self._code = code

    def batch_execute_statement(self, *, Statements: list[object]) -> dict[str, object]:  # type: ignore[override]  # noqa: N803
        return {"Responses": [{"Error": {"Code": self._code, "Message": "simulated"}} for _ in Statements]}


@pytest.mark.parametrize(
    ("code", "reported"),
    [("ThrottlingError", True), ("AccessDenied", True), ("ValidationError", True), ("DuplicateItem", False)],
)
def test_a_refused_statement_is_reported_unless_its_condition_failed(
    bench: Bench, code: str, *, reported: bool
) -> None:
    refusals: list[str] = []
    table = bench.ledger_table(cast("DynamoDBClient", RefusesStatements(bench.dynamodb, code)))
    claimed(SubmissionStore(table, LEASE, no_window, refusals.append), request_for(new_id("request")))
    assert refusals == [code] * reported


def test_a_failed_condition_is_not_reported(bench: Bench, ledger: SubmissionStore) -> None:
    refusals: list[str] = []
    batches = LedgerBatches(bench.ledger_table(), refusals.append)
    request = request_for(new_id("request"))
    claimed(ledger, request)
    assert not batches.insert(request.request_id, identity(request, "message-2"))
    assert not batches.record_task(request.request_id, "another", "task-1")
    assert refusals == []
