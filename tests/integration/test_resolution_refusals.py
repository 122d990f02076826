"""The words of an operator that are refused, and what leaves the row alone, on real parts."""

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
@pytest.mark.parametrize("word_on", [task_given, not_created])
def test_what_is_not_in_doubt_is_refused_and_left_alone(
    bench: Bench,
    resolution: Resolution,
    time_passes: TimePasses,
    start: Status,
    word_on: Callable[[Case], dict[str, object]],
) -> None:
    case = brought_to(bench, start)
    before = case.item
    time_passes(NOT_CREATED_AFTER + 1)
    with pytest.raises(DecisionRefused, match=rf"^the request is {start}: only one in doubt can be resolved$"):
        resolution.handle(word_on(case))
    assert case.item == before
    assert (checked(bench), bench.bus.record_outcome()) == ([], [])


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ({"request_id": 7, "task_id": TASK}, "give"),
        ({"request_id": "", "task_id": TASK}, "give"),
        ({"request_id": "nobodys", "task_id": TASK}, "the ledger has no request 'nobodys'"),
        ({"by": 7, "task_id": TASK}, "give"),
        ({"by": "x" * 257, "task_id": TASK}, "give"),
        ({"by": BY}, "either"),
        ({"task_id": TASK, "not_created": True}, "either"),
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
def test_a_word_of_another_form_is_refused_with_the_rule(
    bench: Bench, resolution: Resolution, time_passes: TimePasses, word: dict[str, object], told: str
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    before = case.item
    time_passes(NOT_CREATED_AFTER + 1)
    with pytest.raises(DecisionRefused, match=told):
        resolution.handle({"request_id": case.request.request_id, **word})
    assert case.item == before
    assert bench.item("nobodys") == {}


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ({}, "give"),
        ({"task_id": TASK}, "give"),
        ({"list": "SUBMITTED"}, "only IN_DOUBT can be listed"),
        ({"list": ["IN_DOUBT"]}, "only IN_DOUBT can be listed"),
    ],
    ids=str,
)
def test_a_word_about_no_request_is_refused_with_the_rule(
    resolution: Resolution, word: dict[str, object], told: str
) -> None:
    with pytest.raises(DecisionRefused, match=told):
        resolution.handle(word)


def test_another_task_after_the_first_word_is_refused(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    resolution.handle(task_given(case))
    with pytest.raises(DecisionRefused, match="the request is SUBMITTED"):
        resolution.handle(task_given(case, "task-10"))
    assert case.row["task_id"] == TASK


Write = Callable[[ResolutionStore, Row], Written | Existing]


WRITES: dict[str, Write] = {
    "task given": lambda resolving, row: resolving.record_task(row, TASK, BY),
    "not created": lambda resolving, row: resolving.record_not_created(row, BY, "not created"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_was_settled_since_the_operator_looked_stays_settled(bench: Bench, write: Write) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    seen = case.stands()
    case.ledger.record_task(case.request, "task-1")
    assert write(ResolutionStore(bench.ledger_table()), seen) == Existing(case.stands())
    assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", "task-1")


@pytest.mark.parametrize("word_on", [task_given, not_created])
def test_a_request_that_is_settled_while_the_operator_decides_stays_settled(
    bench: Bench, time_passes: TimePasses, word_on: Callable[[Case], dict[str, object]]
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    time_passes(NOT_CREATED_AFTER + 1)
    with settled_once_it_was_read(case) as dynamodb:
        resolution = resolution_of(bench, ResolutionStore(bench.ledger_table(dynamodb)))
        with pytest.raises(DecisionRefused, match="the request changed while you were deciding"):
            resolution.handle(word_on(case))
    assert (case.row["status"], case.row["task_id"]) == ("SUBMITTED", "task-1")
    assert (checked(bench), bench.bus.record_outcome()) == ([], [])


@contextlib.contextmanager
def settled_once_it_was_read(case: Case) -> Iterator["DynamoDBClient"]:
    """A client of the table. The song's task is recorded between its read and its write."""
    dynamodb = case.bench.dynamodb

    def settle(**_: object) -> None:
        case.ledger.record_task(case.request, "task-1")

    dynamodb.meta.events.register("after-call.dynamodb.GetItem", settle)
    yield dynamodb
    dynamodb.meta.events.unregister("after-call.dynamodb.GetItem", settle)


def test_a_claim_made_anew_is_not_the_one_that_was_judged(bench: Bench, time_passes: TimePasses) -> None:
    """The row is SUBMITTING as it was, and somebody is in the call."""
    case = brought_to(bench, S.SUBMITTING)
    resolving = ResolutionStore(bench.ledger_table())
    time_passes(LEASE + 1)
    seen = case.stands()
    resolving.record_not_created(seen, BY, "not created")
    claimed(case.ledger, case.request, "message-2")
    before = case.item
    for write in WRITES.values():
        assert write(resolving, seen) == Existing(case.stands())
    assert case.item == before


def test_a_word_whose_consequences_failed_is_made_good_by_saying_it_again(
    bench: Bench, resolution: Resolution, time_passes: TimePasses
) -> None:
    given, denied = brought_to(bench, S.IN_DOUBT), brought_to(bench, S.IN_DOUBT)
    time_passes(NOT_CREATED_AFTER + 1)
    with pytest.raises(SideEffectFailed):
        resolution_of(bench, checks=bench.song_checks(unreachable.GONE)).handle(task_given(given))
    with pytest.raises(SideEffectFailed):
        resolution_of(bench, notifier=bench.notifier(events=unreachable.events())).handle(not_created(denied))
    assert (checked(bench), bench.bus.record_outcome()) == ([], [])
    resolution.handle(task_given(given))
    resolution.handle(not_created(denied))
    assert checked(bench) == [TASK]
    assert [event["reason"] for event in bench.bus.details()] == ["NOT_CREATED"]


def test_a_ledger_that_does_not_answer_is_told_without_the_values(bench: Bench) -> None:
    resolution = resolution_of(bench, ResolutionStore(bench.ledger_table(unreachable.dynamodb())))
    for word in ({"request_id": "r-1", "task_id": TASK}, {"list": "IN_DOUBT"}):
        with pytest.raises(LedgerUnavailable, match=r"^EndpointConnectionError$"):
            resolution.handle(dict(word))
