"""A slice of `make fuzz`: every target on its seeds, and on the same some hundred changed seeds in each run."""

import pytest

from tests.fuzz.mutated import hold
from tests.fuzz.targets import TARGETS, no_waiting

# About half a second for each target.
_INPUTS = {"record": 80, "song_end": 120, "request": 160, "validators": 160}
_USUAL_INPUTS = 240


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_for_its_seeds(name: str) -> None:
    seeds = TARGETS[name].seeds()
    assert len(seeds) >= 4
    with no_waiting():
        for seed in seeds:
            TARGETS[name].check(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_for_changed_seeds(name: str) -> None:
    with no_waiting():
        hold(TARGETS[name], _INPUTS.get(name, _USUAL_INPUTS), is_random=False)
