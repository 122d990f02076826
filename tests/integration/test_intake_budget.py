"""The intake while the budget of a day is spent: paused by its fault, and resumed when the count has room."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from song_intake.admission.budget_item import BudgetItem, BudgetLimits, ReservedCreate, day_of
from song_intake.domain.reason import Reason
from tests.integration.bench import Bench
from tests.integration.conftest import TimePasses
from tests.integration.switching import SimulatedMappings, store_of, switch_of

CHECK = {"intake": "check"}


def spent() -> dict[str, object]:
    at = datetime.fromtimestamp(time.time() + 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    detail = {"reason": Reason.BUDGET_SPENT, "until": (time.time() // 86_400 + 1) * 86_400}
    return {"detail-type": "Account Fault", "source": "song-intake.account", "time": at, "detail": detail}


def used_up(bench: Bench, creates: int) -> ReservedCreate:
    """The last of so many creates of today."""
    budget = BudgetItem(bench.dynamodb, bench.table, BudgetLimits(stack=0, sender=0))
    reserved = [budget.reserve(day_of(time.time()), "AROASHOP", time.time() + 1000) for _ in range(creates)]
    last = reserved[-1]
    assert isinstance(last, ReservedCreate)
    return last


def metric(text: str, name: str) -> float:
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines() if name in line]
    return float(lines[-1][name][0])


def test_a_spent_budget_pauses_the_intake_until_the_day_ends(
    bench: Bench, time_passes: TimePasses, capsys: pytest.CaptureFixture[str]
) -> None:
    used_up(bench, 2)
    mappings = SimulatedMappings()
    switch = switch_of(bench, mappings, creates_per_day=2)
    switch.handle(spent())
    mappings.settle()
    switch.handle(CHECK)
    assert mappings.changes == [False]
    last = store_of(bench).last()
    assert last is not None
    assert (last.reason, last.is_seen) == (Reason.BUDGET_SPENT, True)
    assert metric(capsys.readouterr().out, "CreditsUnknown") == 0, "the balance is read too"
    time_passes(86_400)
    switch.handle(CHECK)
    assert mappings.changes == [False, True]


def test_a_create_that_is_given_back_resumes_the_intake(bench: Bench) -> None:
    last = used_up(bench, 2)
    mappings = SimulatedMappings()
    switch = switch_of(bench, mappings, creates_per_day=2)
    switch.handle(spent())
    mappings.settle()
    BudgetItem(bench.dynamodb, bench.table, BudgetLimits(stack=2, sender=0)).give_back(last)
    switch.handle(CHECK)
    assert mappings.changes == [False, True]


@pytest.mark.parametrize("raised", [3, 0], ids=["raised", "removed"])
def test_a_higher_limit_resumes_the_intake(bench: Bench, raised: int) -> None:
    used_up(bench, 2)
    mappings = SimulatedMappings()
    switch_of(bench, mappings, creates_per_day=2).handle(spent())
    mappings.settle()
    switch_of(bench, mappings, creates_per_day=raised).handle(CHECK)
    assert mappings.changes == [False, True]
