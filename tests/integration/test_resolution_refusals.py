"""An operator's decisions that are refused and leave the row unchanged, on real parts."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.status import Status
from song_intake.ledger.resolving import ResolutionStore
from song_intake.ledger.row import Row
from song_intake.ledger.table import Existing, LedgerUnavailable, Written
from song_intake.work.resolution import DecisionRefused, Resolution
from tests.integration import unreachable
from tests.integration.bench import LEASE, Bench
from tests.integration.conftest import TimePasses
from tests.integration.ledger_case import Case, brought_to, claimed
from tests.integration.resolving import BY, NOT_CREATED_AFTER, TASK, checked, not_created, resolution_of, task_given

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

S = Status


@pytest.fixture
def resolution(bench: Bench) -> Resolution:
    return resolution_of(bench)


@pytest.mark.parametrize("start", [S.RETRYING, S.REJECTED, S.SUBMITTED, S.SUCCEEDED, S.FAILED])
@pytest.mark.parametrize("decision_on", [task_given, not_created])
def test_a_request_that_is_not_in_doubt_is_refused_and_left_unchanged(
    bench: Bench,
    resolution: Resolution,
    time_passes: TimePasses,
    start: Status,
    decision_on: Callable[[Case], dict[str, object]],
) -> None:
    case = brought_to(bench, start)
    before = case.item
    time_passes(NOT_CREATED_AFTER + 1)
    with pytest.raises(DecisionRefused, match=rf"^the request is {start}: only one in doubt can be resolved$"):
        resolution.handle(decision_on(case))
    assert case.item == before
    assert (checked(bench), bench.bus.events()) == ([], [])


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        ({"request_id": 7, "task_id": TASK}, "send"),
        ({"request_id": "", "task_id": TASK}, "send"),
        ({"request_id": "#intake", "task_id": TASK}, "a request_id is 1 to 128 of the characters"),
        ({"request_id": "no-such-request", "task_id": TASK}, "the ledger has no request 'no-such-request'"),
        ({"by": 7, "task_id": TASK}, "send"),
        ({"by": "x" * 257, "task_id": TASK}, "send"),
        ({"by": BY}, "send one of"),
        ({"task_id": TASK, "not_created": True}, "send one of"),
        ({"task_id": TASK, "cancel": True}, "send one of"),
        ({"not_created": True, "cancel": True}, "send one of"),
        ({"cancel": 1}, '"cancel" must be true'),
        ({"task_id": None}, "printable characters"),
        ({"task_id": ""}, "printable characters"),
        ({"task_id": "with blank"}, "printable characters"),
        ({"task_id": "x" * 257}, "printable characters"),
        ({"task_id": "tâche"}, "printable characters"),
        ({"task_id": ["t"]}, "printable characters"),
        ({"not_created": False}, '"not_created" must be true'),
        ({"not_created": "true"}, '"not_created" must be true'),
        ({"not_created": 1}, '"not_created" must be true'),
    ],
    ids=str,
)
def test_a_malformed_decision_is_refused_with_the_rule(
    bench: Bench, resolution: Resolution, time_passes: TimePasses, decision: dict[str, object], message: str
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    before = case.item
    time_passes(NOT_CREATED_AFTER + 1)
    with pytest.raises(DecisionRefused, match=message):
        resolution.handle({"request_id": case.request.request_id, **decision})
    assert case.item == before
    assert bench.item("no-such-request") == {}


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        ({}, "send"),
        ({"task_id": TASK}, "send"),
        ({"list": "SUBMITTED"}, "only IN_DOUBT can be listed"),
        ({"list": ["IN_DOUBT"]}, "only IN_DOUBT can be listed"),
    ],
    ids=str,
)
def test_a_decision_without_a_request_is_refused_with_the_rule(
    resolution: Resolution, decision: dict[str, object], message: str
) -> None:
    with pytest.raises(DecisionRefused, match=message):
        resolution.handle(decision)


Write = Callable[[ResolutionStore, Row], Written | Existing]


WRITES: dict[str, Write] = {
    "task given": lambda store, row: store.record_task(row, TASK, BY),
    "not created": lambda store, row: store.record_not_created(row, BY, "not created"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_request_settled_since_the_operator_read_it_stays_settled(bench: Bench, write: Write) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    seen = case.stored_row()
    case.ledger.record_task(case.request, "task-1")
    assert write(ResolutionStore(bench.ledger_table()), seen) == Existing(case.stored_row())
    assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", "task-1")


@pytest.mark.parametrize("decision_on", [task_given, not_created])
def test_a_request_that_is_settled_while_the_operator_decides_stays_settled(
    bench: Bench, time_passes: TimePasses, decision_on: Callable[[Case], dict[str, object]]
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    time_passes(NOT_CREATED_AFTER + 1)
    with settled_once_it_was_read(case) as dynamodb:
        resolution = resolution_of(bench, ResolutionStore(bench.ledger_table(dynamodb)))
        with pytest.raises(DecisionRefused, match="the request changed while you were deciding"):
            resolution.handle(decision_on(case))
    assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", "task-1")
    assert (checked(bench), bench.bus.events()) == ([], [])


@contextlib.contextmanager
def settled_once_it_was_read(case: Case) -> Iterator["DynamoDBClient"]:
    """A client of the table. The song's task is recorded between its read and its write."""
    dynamodb = case.bench.dynamodb

    def settle(**_: object) -> None:
        case.ledger.record_task(case.request, "task-1")

    dynamodb.meta.events.register("after-call.dynamodb.GetItem", settle)
    yield dynamodb
    dynamodb.meta.events.unregister("after-call.dynamodb.GetItem", settle)


def test_a_decision_on_an_older_claim_does_not_change_a_newer_one(bench: Bench, time_passes: TimePasses) -> None:
    """The row is SUBMITTING again, and another function is in the create call."""
    case = brought_to(bench, S.SUBMITTING)
    store = ResolutionStore(bench.ledger_table())
    time_passes(LEASE + 1)
    seen = case.stored_row()
    store.record_not_created(seen, BY, "not created")
    claimed(case.ledger, case.request, "message-2")
    before = case.item
    for write in WRITES.values():
        assert write(store, seen) == Existing(case.stored_row())
    assert case.item == before


def test_a_decision_whose_side_effects_failed_can_be_repeated(
    bench: Bench, resolution: Resolution, time_passes: TimePasses
) -> None:
    given, denied = brought_to(bench, S.IN_DOUBT), brought_to(bench, S.IN_DOUBT)
    time_passes(NOT_CREATED_AFTER + 1)
    with pytest.raises(SideEffectFailed):
        resolution_of(bench, checks=bench.song_checks(unreachable.GONE)).handle(task_given(given))
    with pytest.raises(SideEffectFailed):
        resolution_of(bench, notifier=bench.notifier(events=unreachable.events())).handle(not_created(denied))
    assert (checked(bench), bench.bus.events()) == ([], [])
    resolution.handle(task_given(given))
    resolution.handle(not_created(denied))
    assert checked(bench) == [TASK]
    assert [event["reason"] for event in bench.bus.details()] == ["NOT_CREATED"]


def test_an_unavailable_ledger_is_reported_without_the_values(bench: Bench) -> None:
    resolution = resolution_of(bench, ResolutionStore(bench.ledger_table(unreachable.dynamodb())))
    for decision in ({"request_id": "r-1", "task_id": TASK}, {"list": "IN_DOUBT"}):
        with pytest.raises(LedgerUnavailable, match=r"^EndpointConnectionError$"):
            resolution.handle(dict(decision))
