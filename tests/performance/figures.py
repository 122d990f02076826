"""All that was measured, and the figures that stand for it."""

from dataclasses import dataclass

from tests.performance.designs import Design
from tests.performance.samples import Samples

MIB = 1024 * 1024


@dataclass(slots=True)
class Figures:
    warm: Samples | None = None
    one_by_one: Samples | None = None
    hundred: Samples | None = None
    first: Samples | None = None
    peak: Samples | None = None

    def keys(self) -> dict[str, float]:
        """The figures by their keys; what was not measured has none."""
        ours, call, figures = Design.OURS, Design.API_CALL, {}
        if self.warm:
            figures["batch10_wall_over_api"] = self.warm.ratio(ours, call, "wall")
            figures["batch10_cpu_over_sequential"] = self.warm.ratio(ours, Design.SEQUENTIAL, "cpu")
        if self.hundred:
            figures["batch100_wall_over_api"] = self.hundred.ratio(ours, call, "wall")
        if self.first:
            figures["first_tls_batch_wall_over_api"] = self.first.ratio(ours, call, "wall")
        if self.peak:
            figures["peak_mib"] = self.peak.median(ours, "peak") / MIB
        return {name: round(value, 3) for name, value in figures.items()}
