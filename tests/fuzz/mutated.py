"""Seeds with a few random changes, drawn by Hypothesis, which also shrinks an input that fails."""

import json
from collections.abc import Sequence

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.targets import DICTIONARY, Target

_MOST_CHANGES = 5
_LONGEST_CUT = 8

Change = tuple[int, int, bytes]
"""Where, how many bytes are removed, and what takes their place."""


def words() -> list[bytes]:
    """The words of the inputs' languages, of which the fuzzers put one in the place of another."""
    lines = DICTIONARY.read_text(encoding="utf-8").splitlines()
    return [json.loads(line).encode() for line in lines]


def mutated(seed: bytes, changes: Sequence[Change]) -> bytes:
    for where, removed, added in changes:
        at = where % (len(seed) + 1)
        seed = seed[:at] + added + seed[at + removed :]
    return seed


def inputs_of(target: Target) -> st.SearchStrategy[bytes]:
    """Seeds of the target with up to five changes, and a few inputs of any bytes."""
    added = st.binary(max_size=4) | st.sampled_from(words())
    change = st.tuples(st.integers(0, 65_535), st.integers(0, _LONGEST_CUT), added)
    changed = st.builds(mutated, st.sampled_from(target.seeds()), st.lists(change, max_size=_MOST_CHANGES))
    return st.one_of(changed, changed, changed, st.binary(max_size=200))


def hold(target: Target, executions: int, *, is_random: bool) -> None:
    """Check so many inputs. Raises what the check of a failing input raises.

    is_random: others in each run, and a failing input is made as small as possible, which may take minutes.
    """

    @settings(
        max_examples=executions,
        derandomize=not is_random,
        database=None,
        deadline=None,
        phases=[Phase.generate, *([Phase.shrink] if is_random else [])],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=inputs_of(target))
    def check(data: bytes) -> None:
        target.check(data)

    check()
