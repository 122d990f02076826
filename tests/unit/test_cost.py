"""The cost in the README is computed from prices.py, measured.json and song_work.py, and it adds up."""

import re
from urllib.parse import urlsplit

import pytest

from tests.performance.cost import (
    RECORDINGS_FOR_A_MONTH,
    RECORDINGS_OF_A_SONG,
    SERVICES,
    between_markers,
    idle_work,
    placed,
    report,
    usd,
    usd_by_service,
)
from tests.performance.measured import Measured
from tests.performance.prices import PRICES, Unit
from tests.performance.song_work import (
    CHECK_CAP_SECONDS,
    FIRST_CHECK_SECONDS,
    FULL_BATCH,
    MEMORY_GB,
    designs,
    poll_times,
    submitted,
)
from tests.template.transformed import PROJECT, parameter_defaults

MEASURED = Measured.load()
README = (PROJECT / "tests/performance/README.md").read_text(encoding="utf-8")
STATED = between_markers(README)
PARTS = re.findall(r"^\| (.+?) \| (.*) \| \*\*([\d.]+)\*\* \|$", STATED, flags=re.MULTILINE)
BOTH = dict(re.findall(r"^\| (.+?) \| \*\*([\d.]+)\*\* \| [^|]+ \|$", STATED, flags=re.MULTILINE))


def test_the_readme_has_the_computed_cost() -> None:
    assert report(MEASURED) == STATED, "run `make cost`"


def test_there_is_a_row_for_every_part_of_every_design() -> None:
    tracking = [design for design in designs(MEASURED) if design.tracking is not None]
    assert len(PARTS) == len(designs(MEASURED)) + len(tracking)
    assert list(BOTH) == [design.name for design in tracking]


@pytest.mark.parametrize(("design", "cells", "total"), PARTS)
def test_the_columns_of_a_row_add_up_to_its_total(design: str, cells: str, total: str) -> None:
    assert sum(float(cell) for cell in cells.split("|") if cell.strip()) == pytest.approx(float(total))


@pytest.mark.parametrize("design", BOTH)
def test_both_parts_of_a_design_add_up(design: str) -> None:
    parts = [float(total) for name, _, total in PARTS if name == design]
    assert len(parts) == 2
    assert sum(parts) == pytest.approx(float(BOTH[design]))


def test_every_unit_of_a_design_is_in_one_column() -> None:
    in_columns = [unit for units in SERVICES.values() for unit in units]
    works = [work for design in designs(MEASURED) for work in (design.submitting, design.tracking or {})]
    assert len(in_columns) == len(set(in_columns))
    assert {unit for work in works for unit in work} == set(in_columns)


def test_every_unit_has_a_price_that_is_used() -> None:
    used = {unit for units in SERVICES.values() for unit in units} | set(idle_work())
    used |= {*RECORDINGS_OF_A_SONG, *RECORDINGS_FOR_A_MONTH}
    assert set(PRICES) == set(Unit) == used


@pytest.mark.parametrize("unit", PRICES)
def test_a_price_has_its_page_and_its_source(unit: Unit) -> None:
    price = PRICES[unit]
    assert price.usd > 0
    assert urlsplit(price.page).hostname == "aws.amazon.com"
    assert urlsplit(price.seen).scheme == "https"
    assert re.fullmatch(r"undated|\d{4}(-\d\d){0,2}", price.dated)


def test_a_price_is_that_of_one_unit() -> None:
    assert usd({Unit.TRANSITIONS: 1_000, Unit.LOG_BYTES: 2e9, Unit.SECRETS: 2}) == pytest.approx(0.025 + 1.00 + 0.80)


def test_a_cost_is_that_of_a_million_songs() -> None:
    columns = dict(zip(SERVICES, usd_by_service({Unit.DYNAMODB_WRITES: 2, Unit.SQS_REQUESTS: 1.2}), strict=True))
    assert {name: amount for name, amount in columns.items() if amount} == {"DynamoDB": 1.25, "SQS": 0.48}


def test_the_recordings_of_a_thousand_songs_are_mostly_writes_and_requests() -> None:
    assert 1000 * usd(RECORDINGS_OF_A_SONG) == pytest.approx(0.026, abs=0.01)
    assert 1000 * usd(RECORDINGS_FOR_A_MONTH) == pytest.approx(8 * 0.023)


def test_ten_songs_share_an_invocation_and_the_calls_of_its_queue() -> None:
    alone, shared = submitted(MEASURED, 1, 1.0), submitted(MEASURED, 10, 1.0)
    assert (alone[Unit.LAMBDA_REQUESTS], shared[Unit.LAMBDA_REQUESTS]) == pytest.approx((1, 0.1))
    # Sent by the caller, received, deleted.
    assert (alone[Unit.SQS_REQUESTS], shared[Unit.SQS_REQUESTS]) == pytest.approx((3, 1.2))
    assert alone[Unit.DYNAMODB_WRITES] == shared[Unit.DYNAMODB_WRITES] == MEASURED.submit_writes
    # The wait is shared; the computing is not.
    saved = alone[Unit.LAMBDA_GB_SECONDS] - shared[Unit.LAMBDA_GB_SECONDS]
    assert saved == pytest.approx(MEMORY_GB * 0.9 * (1.0 + 0.02))


@pytest.mark.parametrize(
    ("song_seconds", "times"),
    [(15, [15]), (20, [15, 30]), (31, [15, 30, 48.75]), (60, [15, 30, 48.75, 72.1875])],
)
def test_a_song_is_polled_until_it_is_finished(song_seconds: float, times: list[float]) -> None:
    assert poll_times(song_seconds) == times


def test_the_cost_uses_the_default_parameters() -> None:
    shipped = parameter_defaults()
    counted = (FIRST_CHECK_SECONDS, CHECK_CAP_SECONDS, FULL_BATCH, MEMORY_GB * 1024)
    assert counted == tuple(
        shipped[name] for name in ("FirstCheckSeconds", "CheckCapSeconds", "BatchSize", "MemorySize")
    )


def test_only_the_text_between_the_markers_is_replaced() -> None:
    short = placed(README, "-")
    assert between_markers(short) == "-"
    assert placed(short, STATED) == README


def test_a_readme_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers of the cost"):
        between_markers("# Song intake")
