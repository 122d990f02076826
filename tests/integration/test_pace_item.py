"""The pace in a real table: one write for a change, no change of another worker is lost, and it is not a request."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, cast

import pytest

from song_intake.admission.pace import Pace
from song_intake.admission.pace_item import PACE_KEY, PaceItem
from song_intake.ledger.resolving import ResolutionStore
from song_intake.ledger.table import LedgerUnavailable
from tests.integration import unreachable
from tests.integration.bench import Bench

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = 1_700_000_000.0
INTERVAL = 3.0
WORKERS = 8


class Counting:
    """A client that counts its writes. It can send each one twice, as the SDK does when a response is lost."""

    def __init__(self, dynamodb: "DynamoDBClient", *, sends_twice: bool = False) -> None:
        self.exceptions = dynamodb.exceptions
        self.writes = 0
        self._dynamodb = dynamodb
        self._sends_twice = sends_twice

    def update_item(self, **write: object) -> object:
        self.writes += 1
        if self._sends_twice:
            self._dynamodb.update_item(**write)  # type: ignore[arg-type]
        return self._dynamodb.update_item(**write)  # type: ignore[arg-type]


def reserve(pace: Pace) -> tuple[Pace, tuple[float, ...]]:
    return pace.reserve(NOW, 2, NOW + 1000, INTERVAL)


def table(bench: Bench, client: object = None) -> PaceItem:
    return PaceItem(cast("DynamoDBClient", client or bench.dynamodb), bench.table)


def test_the_next_worker_sees_the_reserved_slots(bench: Bench) -> None:
    assert table(bench).change(reserve) == (NOW, NOW + INTERVAL)
    assert table(bench).change(reserve) == (NOW + 2 * INTERVAL, NOW + 3 * INTERVAL)


def test_the_state_is_read_as_it_was_written(bench: Bench) -> None:
    state = Pace(NOW + 1.25, (NOW + 0.5, NOW + 0.75), 1.5, NOW - 3)
    table(bench).change(lambda _: (state, None))
    assert table(bench).change(lambda pace: (pace, pace)) == state


def test_a_reservation_is_one_write_and_two_after_another_workers_change(bench: Bench) -> None:
    client = Counting(bench.dynamodb)
    mine, other = table(bench, client), table(bench)
    mine.change(reserve)
    mine.change(reserve)
    assert client.writes == 2
    other.change(reserve)
    mine.change(reserve)
    assert client.writes == 4


def test_no_two_of_many_concurrent_workers_get_the_same_slot(bench: Bench) -> None:
    together = Barrier(WORKERS)

    def worker(_: int) -> tuple[float, ...]:
        mine = table(bench)
        together.wait()
        return mine.change(reserve) + mine.change(reserve)

    with ThreadPoolExecutor(WORKERS) as pool:
        slots = sorted(slot for slots in pool.map(worker, range(WORKERS)) for slot in slots)
    assert slots == [NOW + n * INTERVAL for n in range(4 * WORKERS)]


def test_a_write_that_the_sdk_sent_twice_reserves_once(bench: Bench) -> None:
    assert table(bench, Counting(bench.dynamodb, sends_twice=True)).change(reserve) == (NOW, NOW + INTERVAL)
    assert bench.row(PACE_KEY)["next_at"] == str(int(NOW + 2 * INTERVAL))


def test_without_a_table_nothing_is_reserved(bench: Bench) -> None:
    with pytest.raises(LedgerUnavailable):
        table(bench, unreachable.dynamodb()).change(reserve)


def test_the_item_may_be_deleted_at_any_time(bench: Bench) -> None:
    mine = table(bench)
    mine.change(reserve)
    bench.dynamodb.delete_item(TableName=bench.table, Key={"request_id": {"S": PACE_KEY}})
    assert mine.change(reserve) == (NOW, NOW + INTERVAL)


def test_an_item_of_another_format_is_an_error(bench: Bench) -> None:
    item = {"request_id": {"S": PACE_KEY}, "revision": {"S": "1"}, "next_at": {"S": "soon"}}
    bench.dynamodb.put_item(TableName=bench.table, Item=item)
    with pytest.raises(LedgerUnavailable, match="delete it"):
        table(bench).change(reserve)


def test_the_pace_is_not_a_request_and_never_expires(bench: Bench) -> None:
    table(bench).change(reserve)
    resolving = ResolutionStore(bench.ledger_table())
    assert resolving.row(PACE_KEY) is None
    assert resolving.in_doubt().rows == []
    assert "expires_at" not in bench.row(PACE_KEY)
