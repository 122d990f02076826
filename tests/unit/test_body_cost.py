"""What a body costs to judge, whatever it is: little CPU time and little memory, measured in processes of their own.

A function that ends for lack of memory takes the other messages of its batch with it, and their outcomes.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from song_intake.contract.schema import SCHEMA
from song_intake.contract.strict_json import JsonRule
from tests.unit.costly_bodies import MESSAGE_SIZE, SIZE, all_bodies
from tests.unit.test_schema import _rules_in

MOST_MILLISECONDS = 50
MOST_MIB = 50
"""The interpreter included."""

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def costs() -> dict[str, tuple[float, float, list[str]]]:
    program = [sys.executable, "-m", "tests.unit.measure_bodies"]
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'song_intake'}"}
    measured = subprocess.run(program, cwd=ROOT, env=paths, check=True, capture_output=True, timeout=100)
    return dict(json.loads(measured.stdout))


def test_no_body_takes_more_than_50_ms_or_50_mib(costs: dict[str, tuple[float, float, list[str]]]) -> None:
    assert len(costs) > 150
    too_costly = {n: (ms, mib) for n, (ms, mib, _) in costs.items() if ms > MOST_MILLISECONDS or mib > MOST_MIB}
    assert too_costly == {}


def test_the_bodies_break_every_rule(costs: dict[str, tuple[float, float, list[str]]]) -> None:
    broken = {rule for _, _, rules in costs.values() for rule in rules}
    of_json = {*JsonRule} - {JsonRule.NO_BYTE_ORDER_MARK}
    assert broken >= {*_rules_in(SCHEMA), *of_json, "additionalProperties", "maxBytes"}


def test_the_bodies_are_as_large_as_a_request_may_be() -> None:
    sizes = {name: len(body.encode(errors="surrogatepass")) for name, body in all_bodies()}
    assert sum(SIZE - 16 < size <= SIZE for size in sizes.values()) > 50
    assert max(size for name, size in sizes.items() if name != "a message of 1 MiB") <= MESSAGE_SIZE + 100
