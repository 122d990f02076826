"""The list of requests in doubt, from the ledger's sparse index."""

import json
from collections.abc import Callable
from typing import cast

import pytest

from song_intake.domain.status import Status
from song_intake.ledger import resolving
from song_intake.ledger.resolving import ResolutionStore
from song_intake.work.resolution import Resolution
from tests.integration.bench import Bench
from tests.integration.ledger_case import REFUSED, UNKNOWN, Case, brought_to, claimed, request_for
from tests.integration.resolving import TASK, resolution_of

S = Status


@pytest.fixture
def resolution(bench: Bench) -> Resolution:
    return resolution_of(bench)


def test_the_list_has_only_the_requests_in_doubt_oldest_first(bench: Bench, resolution: Resolution) -> None:
    assert resolution.handle({"list": "IN_DOUBT"}) == {"in_doubt": []}
    cases = [brought_to(bench, status) for status in (*Status, S.IN_DOUBT, S.IN_DOUBT)]
    doubts = [case.request.request_id for case in cases if case.row["status"] == "IN_DOUBT"]
    assert _listed(resolution) == doubts
    resolution.handle({"request_id": doubts[1], "task_id": TASK})
    assert _listed(resolution) == [doubts[0], doubts[2]]


def _listed(resolution: Resolution) -> list[str]:
    rows = resolution.handle({"list": "IN_DOUBT"})["in_doubt"]
    assert isinstance(rows, list)
    assert json.dumps(rows)
    return [row["request_id"] for row in rows]


def test_the_list_ends_at_its_cap(bench: Bench, resolution: Resolution, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        brought_to(bench, S.IN_DOUBT)
    monkeypatch.setattr(resolving, "MOST_LISTED", 2)
    assert len(_listed(resolution)) == 2


def test_the_list_continues_where_dynamodb_ended_a_page_early(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB reads 1 MB for one query at most, here a row."""
    doubts = [brought_to(bench, S.IN_DOUBT).request.request_id for _ in range(3)]
    table = bench.ledger_table(bench.dynamodb)
    query = bench.dynamodb.query
    monkeypatch.setattr(bench.dynamodb, "query", lambda **call: query(**{**call, "Limit": 1}))
    assert _listed(resolution_of(bench, ResolutionStore(table))) == doubts


def test_the_list_ends_at_its_cap_after_a_page_that_ended_early_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubts = [brought_to(bench, S.IN_DOUBT).request.request_id for _ in range(3)]
    monkeypatch.setattr(resolving, "MOST_LISTED", 2)
    table, query, early = bench.ledger_table(bench.dynamodb), bench.dynamodb.query, iter([1])
    monkeypatch.setattr(bench.dynamodb, "query", lambda **call: query(**{**call, "Limit": next(early, call["Limit"])}))
    assert _listed(resolution_of(bench, ResolutionStore(table))) == doubts[:2]


def test_a_doubt_is_listed_with_what_its_caller_knows_it_by(bench: Bench, resolution: Resolution) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    (listed,) = cast("list[dict[str, object]]", resolution.handle({"list": "IN_DOUBT"})["in_doubt"])
    assert (listed["request_id"], listed["metadata"]) == (case.request.request_id, {"customer": "c-1"})


@pytest.mark.parametrize(
    "settle",
    [
        pytest.param(lambda case: case.ledger.record_task(case.request, TASK), id="by its task"),
        pytest.param(lambda case: case.ledger.record_rejected(case.claim, REFUSED), id="by a late refusal"),
    ],
)
def test_a_request_settled_automatically_is_not_listed(
    bench: Bench, resolution: Resolution, settle: Callable[[Case], object]
) -> None:
    case = brought_to(bench, S.IN_DOUBT)
    assert _listed(resolution) == [case.request.request_id]
    settle(case)
    assert _listed(resolution) == []


def test_the_task_token_of_a_workflow_is_not_shown(bench: Bench, resolution: Resolution, request_id: str) -> None:
    request = request_for(request_id, task_token="canary token")
    ledger = bench.ledger()
    claim = claimed(ledger, request)
    ledger.record_in_doubt(claim, UNKNOWN)
    assert "canary" not in repr(resolution.handle({"list": "IN_DOUBT"}))
    assert "canary" not in repr(resolution.handle({"request_id": request_id, "task_id": TASK}))
