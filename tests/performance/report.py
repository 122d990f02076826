"""The table that `make bench` prints."""

from tests.performance.designs import TOLD, Design
from tests.performance.figures import MIB, Figures
from tests.performance.samples import Samples


def table(figures: Figures) -> str:
    rows = [
        "| design | batch of 10: wall / API call | CPU ms a message | AWS calls a batch | batch of 100 | first TLS batch "
        "| its CPU ms a message | peak MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows += [f"| {told} | {' | '.join(_cells(figures, design))} |" for design, told in TOLD.items()]
    rows += ["", *(f"{name} = {value:g}" for name, value in figures.keys().items()), ""]
    return "\n".join(rows)


def _cells(figures: Figures, design: Design) -> list[str]:
    one_by_one = design in (Design.SEQUENTIAL, Design.IDEMPOTENCY)
    return [
        _wall(figures.one_by_one if one_by_one else figures.warm, design),
        _median(figures.warm, design, "cpu", 1000 / 10, "{:.2f}"),
        _median(figures.warm, design, "aws_calls", 1, "{:.0f}"),
        _wall(figures.hundred, design),
        _wall(figures.first, design),
        _median(figures.first, design, "cpu", 1000 / 10, "{:.1f}"),
        _median(figures.peak, design, "peak", 1 / MIB, "{:.1f}"),
    ]


def _wall(samples: Samples | None, design: Design) -> str:
    if samples is None or not samples.of_design(design):
        return ""
    return f"{samples.ratio(design, Design.API_CALL, 'wall'):.3f}"


def _median(samples: Samples | None, design: Design, what: str, times: float, form: str) -> str:
    if samples is None or not samples.of_design(design):
        return ""
    return form.format(samples.median(design, what) * times)  # type: ignore[arg-type]
