"""The creates of a day in a real table: both limits in one write, and what is given back."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any, cast
from unittest import mock

import pytest

from song_intake.admission import budget_item
from song_intake.admission.budget_item import OTHERS, BudgetItem, BudgetLimits, ReservedCreate, Usage
from song_intake.ledger.resolving import ResolutionStore
from song_intake.ledger.table import LedgerUnavailable
from tests.integration import unreachable
from tests.integration.bench import Bench

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY = "2026-07-01"
KEY = f"#budget:{DAY}"
SHOP, RADIO = "AROASHOP", "AROARADIO"
WORKERS = 8


class SendingTwice:
    """A client whose first response is lost while it is on, so that the SDK sends each write again."""

    def __init__(self, dynamodb: "DynamoDBClient") -> None:
        self.exceptions = dynamodb.exceptions
        self.is_on = False
        self._dynamodb = dynamodb

    def update_item(self, **write: Any) -> object:
        if not self.is_on:
            return self._dynamodb.update_item(**write)
        self._dynamodb.update_item(**write)
        try:
            return self._dynamodb.update_item(**write)
        except self._dynamodb.exceptions.ConditionalCheckFailedException as failed:
            failed.response["ResponseMetadata"]["RetryAttempts"] = 1
            raise


def item(bench: Bench, stack: int = 0, sender: int = 0, client: object = None) -> BudgetItem:
    dynamodb = cast("DynamoDBClient", client or bench.clients().client("dynamodb"))
    return BudgetItem(dynamodb, bench.table, BudgetLimits(stack, sender))


def reserved(budget: BudgetItem, sender: str = SHOP, day: str = DAY) -> ReservedCreate | None:
    result = budget.reserve(day, sender, time.time() + 1000)
    return result if isinstance(result, ReservedCreate) else None


def counts(budget: BudgetItem, day: str = DAY) -> tuple[int, dict[str, int]]:
    usage = budget.read(day)
    return usage.used, dict(usage.by_sender)


def test_a_day_has_as_many_creates_as_the_stack_may_make(bench: Bench) -> None:
    budget = item(bench, stack=3)
    assert [reserved(budget, sender) is not None for sender in (SHOP, RADIO, SHOP, SHOP, RADIO)] == [True] * 3 + [
        False
    ] * 2
    assert counts(budget) == (3, {SHOP: 2, RADIO: 1})
    assert reserved(budget, day="2026-07-02") is not None


def test_a_sender_at_its_limit_leaves_the_others_theirs(bench: Bench) -> None:
    budget = item(bench, stack=4, sender=2)
    assert [reserved(budget, sender) is not None for sender in (SHOP, SHOP, SHOP, RADIO, RADIO, RADIO)] == [
        True,
        True,
        False,
        True,
        True,
        False,
    ]
    assert counts(budget) == (4, {SHOP: 2, RADIO: 2})


def test_a_refusal_shows_the_use_of_the_day_and_counts_nothing(bench: Bench) -> None:
    budget = item(bench, sender=1)
    reserved(budget)
    refused = budget.reserve(DAY, SHOP, 0)
    assert isinstance(refused, Usage)
    assert (refused.used, dict(refused.by_sender), refused.is_refused) == (1, {SHOP: 1}, True)
    assert counts(budget) == (1, {SHOP: 1})


def test_a_create_that_is_given_back_can_be_reserved_again(bench: Bench) -> None:
    budget = item(bench, stack=2, sender=2)
    first = reserved(budget)
    reserved(budget)
    assert first is not None
    assert budget.give_back(first) is None
    assert counts(budget) == (1, {SHOP: 1})
    assert reserved(budget) is not None
    assert reserved(budget) is None


def test_a_create_whose_giving_back_was_sent_twice_is_given_back_once(bench: Bench) -> None:
    client = SendingTwice(bench.dynamodb)
    budget = item(bench, stack=5, client=client)
    first = reserved(budget)
    reserved(budget)
    assert first is not None
    client.is_on = True
    assert budget.give_back(first) is not None
    assert counts(item(bench)) == (1, {SHOP: 1})


def test_a_reservation_that_was_sent_twice_counts_twice_and_never_beyond_the_limit(bench: Bench) -> None:
    client = SendingTwice(bench.dynamodb)
    client.is_on = True
    budget = item(bench, stack=3, client=client)
    assert [reserved(budget) is not None for _ in range(3)] == [True, False, False]
    assert counts(item(bench))[0] == 3


def test_no_more_than_the_limit_is_reserved_by_many_workers_at_once(bench: Bench) -> None:
    together = Barrier(WORKERS)

    def worker(number: int) -> int:
        budget = item(bench, stack=20, sender=12)
        together.wait()
        created = 0
        for turn in range(8):
            create = reserved(budget, SHOP if number % 2 else RADIO)
            if create is not None and turn % 3 == 2:
                budget.give_back(create)
            elif create is not None:
                created += 1
        return created

    with ThreadPoolExecutor(WORKERS) as pool:
        created = sum(pool.map(worker, range(WORKERS)))
    used, by_sender = counts(item(bench))
    assert created <= used <= 20
    assert max(by_sender.values()) <= 12


def test_senders_beyond_the_named_ones_share_one_limit(bench: Bench) -> None:
    budget = item(bench, sender=2)
    with mock.patch.object(budget_item, "MOST_SENDERS", 2):
        names = [create.name if (create := reserved(budget, sender)) else None for sender in "abcdeab"]
    assert names == ["a", "b", OTHERS, OTHERS, None, "a", "b"]
    assert counts(budget) == (6, {"a": 2, "b": 2, OTHERS: 2})


def test_the_item_of_a_day_with_all_named_senders_is_small(bench: Bench) -> None:
    names = [f"AROA{number:017}" for number in range(budget_item.MOST_SENDERS - 1)]
    stored: Any = {"request_id": {"S": KEY}, "senders": {"SS": names}, **{f"by:{name}": {"N": "999"} for name in names}}
    bench.dynamodb.put_item(TableName=bench.table, Item=stored)
    budget = item(bench, sender=1000)
    named = [create.name if (create := reserved(budget, sender)) else None for sender in ("last", "more")]
    assert named == ["last", OTHERS]
    stored = bench.item(KEY)
    assert len(stored["senders"]["SS"]) == budget_item.MOST_SENDERS
    size = sum(len(name) + len(value.get("N", "")) for name, value in stored.items()) + len("".join(names))
    assert size < 12_000


def test_the_count_expires_and_is_no_request(bench: Bench) -> None:
    budget = item(bench, stack=1)
    reserved(budget)
    assert float(bench.row(KEY)["expires_at"]) > time.time()
    resolving = ResolutionStore(bench.ledger_table())
    assert resolving.row(KEY) is None
    assert resolving.in_doubt().rows == []


def test_an_item_that_is_gone_takes_nothing_back(bench: Bench) -> None:
    budget = item(bench, stack=1)
    create = reserved(budget)
    assert create is not None
    bench.dynamodb.delete_item(TableName=bench.table, Key={"request_id": {"S": KEY}})
    assert budget.give_back(create) is not None
    assert bench.item(KEY) == {}


def test_without_a_table_nothing_is_reserved_or_given_back(bench: Bench) -> None:
    budget = item(bench, stack=1, client=unreachable.dynamodb())
    with pytest.raises(LedgerUnavailable):
        budget.reserve(DAY, SHOP, 0)
    with pytest.raises(LedgerUnavailable):
        budget.read(DAY)
    assert budget.give_back(ReservedCreate(DAY, SHOP, Usage(0, {}))) == "EndpointConnectionError"


def test_an_item_of_another_form_is_an_error(bench: Bench) -> None:
    stored: Any = {"request_id": {"S": KEY}, "used": {"S": "many"}}
    bench.dynamodb.put_item(TableName=bench.table, Item=stored)
    with pytest.raises(LedgerUnavailable, match="delete it"):
        item(bench).read(DAY)
