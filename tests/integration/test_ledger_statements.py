"""Claims and settlings in one call: what they write, and that a refused one is left to the single write."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from song_intake.contract.song_request import SongRequest
from song_intake.domain.status import Status
from song_intake.ledger.row import identity
from song_intake.ledger.submitting import Claim, SubmissionStore
from song_intake.ledger.table import LedgerBatches, Written
from tests.integration.bench import Bench, new_id
from tests.integration.ledger_case import NOT_SENT, claimed, request_for

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Written anew each time.
OF_THE_MOMENT = {"request_id", "owner", "created_at", "updated_at", "expires_at", "lease_until"}


@pytest.fixture(scope="module")
def bench(shared_bench: Bench) -> Bench:
    return shared_bench


@pytest.fixture
def ledger(bench: Bench) -> SubmissionStore:
    return bench.ledger()


@pytest.fixture
def statements(bench: Bench) -> LedgerBatches:
    return LedgerBatches(bench.ledger_table())


def lasting(bench: Bench, request: SongRequest) -> dict[str, object]:
    item = bench.item(request.request_id)
    assert item.keys() >= OF_THE_MOMENT - {"lease_until"}
    return {name: value for name, value in item.items() if name not in OF_THE_MOMENT}


def test_a_first_claim_by_statement_writes_what_the_single_write_would(bench: Bench, ledger: SubmissionStore) -> None:
    by_statement, singly = request_for(new_id("request")), request_for(new_id("request"))
    claimed(ledger, by_statement)
    assert isinstance(ledger._claimed(Claim(singly, "owner"), "message-1"), Written)
    assert lasting(bench, by_statement) == lasting(bench, singly)
    assert bench.item(by_statement.request_id).keys() == bench.item(singly.request_id).keys()


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_song_settled_by_statement_has_the_row_that_the_single_write_gives_it(
    bench: Bench, ledger: SubmissionStore, attempts: int
) -> None:
    by_statement, singly = request_for(new_id("request")), request_for(new_id("request"))
    for request in (by_statement, singly):
        for _ in range(attempts - 1):
            assert isinstance(ledger.record_retrying(claimed(ledger, request), NOT_SENT), Written)
    assert isinstance(ledger.record_task(by_statement, "task-1", claimed(ledger, by_statement)), Written)
    claimed(ledger, singly)
    assert isinstance(ledger.record_task(singly, "task-1"), Written)
    assert lasting(bench, by_statement) == lasting(bench, singly)
    assert bench.item(by_statement.request_id).keys() == bench.item(singly.request_id).keys()


def test_a_crowd_claims_and_settles_each_its_own(bench: Bench, ledger: SubmissionStore) -> None:
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


def test_a_row_that_is_there_is_not_created_again(
    bench: Bench, statements: LedgerBatches, ledger: SubmissionStore
) -> None:
    request = request_for(new_id("request"))
    claimed(ledger, request)
    before = bench.item(request.request_id)
    assert not statements.insert(request.request_id, identity(request, "message-2"))
    assert bench.item(request.request_id) == before


def test_two_of_one_row_in_one_call_are_not_both_sent(bench: Bench, statements: LedgerBatches) -> None:
    request, other = request_for(new_id("request")), request_for(new_id("request"))
    orders = [
        statements._insertion(request.request_id, identity(request, "message-1")),
        statements._insertion(request.request_id, identity(request, "message-2")),
        statements._insertion(other.request_id, identity(other, "message-3")),
    ]
    assert statements._execute(orders) == [True, False, True]
    assert bench.row(request.request_id)["message_id"] == "message-1"


@pytest.mark.parametrize("owner", ["another", ""])
def test_nobody_but_its_owner_settles_a_claim(
    bench: Bench, ledger: SubmissionStore, statements: LedgerBatches, owner: str
) -> None:
    request = request_for(new_id("request"))
    claimed(ledger, request)
    before = bench.item(request.request_id)
    assert not statements.record_task(request.request_id, owner, "task-1")
    assert bench.item(request.request_id) == before


def test_a_settling_of_no_row_makes_none(bench: Bench, statements: LedgerBatches) -> None:
    assert not statements.record_task("nobodys", "owner", "task-1")
    assert bench.item("nobodys") == {}


class WithoutStatements:
    """A client whose role lacks the right to statements, or whose statements one of them makes DynamoDB refuse."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def batch_execute_statement(self, **_: object) -> None:
        refusal = {"Error": {"Code": "AccessDeniedException", "Message": "simulated"}}
        raise ClientError(cast("Any", refusal), "BatchExecuteStatement")


def test_a_call_that_is_refused_as_a_whole_is_left_to_the_single_writes(bench: Bench) -> None:
    ledger = bench.ledger(cast("DynamoDBClient", WithoutStatements(bench.dynamodb)))
    request = request_for(new_id("request"))
    claim = claimed(ledger, request)
    assert isinstance(ledger.record_task(request, "task-1", claim), Written)
    assert bench.row(request.request_id)["task_id"] == "task-1"
