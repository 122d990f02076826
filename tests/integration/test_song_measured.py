"""The figures that the cost is computed from match the code."""

import pytest

from tests.integration.bench import Bench
from tests.performance.measure_song import measure
from tests.performance.measured import Measured


def test_a_song_writes_publishes_and_logs_what_measured_json_states(bench: Bench) -> None:
    figures, stated = measure(bench), Measured.load()
    for name, figure in figures.items():
        # The length of a line varies with ids and milliseconds; a count does not.
        leeway = 0.05 if name.endswith("bytes") else 0
        assert getattr(stated, name) == pytest.approx(figure, rel=leeway, abs=0), f"{name}: renew measured.json"
