"""The limits of a day hold whatever eight workers, DynamoDB and the vendor do, and whoever crashes in between."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from unittest import mock

import pytest

from song_intake.admission.budget_item import BudgetItem, ReservedCreate, Usage
from tests.properties.simulation.budget_workers import FAULTS, LIMITS, BudgetWorld, excess
from tests.properties.simulation.profile import IS_CAMPAIGN

SEEDS = range(2_000 if IS_CAMPAIGN else 30)


@cache
def worlds() -> list[BudgetWorld]:
    return [run(seed, faulty=0.05) for seed in SEEDS]


def run(seed: int, faulty: float, kinds: Sequence[str] = FAULTS) -> BudgetWorld:
    world = BudgetWorld(seed, faulty, kinds)
    world.run()
    return world


def test_no_schedule_with_faults_and_deaths_creates_more_than_the_limits() -> None:
    assert [list(excess(world)) for world in worlds()] == [[] for _ in SEEDS]
    assert max(sum(world.made.values()) for world in worlds()) >= LIMITS.stack


def test_without_faults_the_count_is_what_was_created() -> None:
    for seed in SEEDS[:20]:
        world = run(seed, faulty=0)
        counted = {
            f"{day} {sender}": count
            for day, usage in world.usage().items()
            for sender, count in usage.by_sender.items()
            if count
        }
        assert counted == dict(world.made)
        assert {day: usage.used for day, usage in world.usage().items() if usage.used} == {
            day: sum(made for name, made in world.made.items() if name.startswith(day))
            for day in {name.split()[0] for name in world.made}
        }


def test_faults_and_deaths_lose_no_more_creates_of_the_day_than_there_were() -> None:
    for world in worlds():
        counted = sum(usage.used for usage in world.usage().values())
        # A write that was sent again may have counted twice.
        assert sum(world.made.values()) <= counted <= sum(world.made.values()) + 2 * world.faults


def test_a_create_given_back_without_its_version_exceeds_a_limit() -> None:
    def give_back(self: BudgetItem, reserved: ReservedCreate) -> str | None:
        usage = self._write(
            reserved.day,
            "ADD #used :minus_one, #sender :minus_one",
            "",
            {"#used": "used", "#sender": f"by:{reserved.name}"},
            {":minus_one": {"N": "-1"}},
        )
        return None if isinstance(usage, Usage) else "never"

    with mock.patch.object(BudgetItem, "give_back", give_back):
        assert any(list(excess(run(seed, 0.2, ["sent again"]))) for seed in SEEDS)


@pytest.mark.parametrize("limit", [":most_used", ":most_of_sender"])
def test_a_reservation_without_one_of_its_limits_exceeds_it(limit: str) -> None:
    write = BudgetItem._write

    def without(self: BudgetItem, day: str, change: str, condition: str, names: Any, values: Any) -> Usage:
        return write(
            self, day, change, condition, names, values | {limit: {"N": "1000"}} if limit in values else values
        )

    with mock.patch.object(BudgetItem, "_write", without):
        assert any(list(excess(run(seed, faulty=0.05))) for seed in SEEDS)
