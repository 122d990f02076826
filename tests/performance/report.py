"""The report of `make bench`, also in the README: the table, notes on what is not measured, and the figures."""

import os
import platform
import re
from pathlib import Path
from typing import Literal

from tests.performance.designs import LABELS, SHORT_LABELS, Design
from tests.performance.figures import MEANINGS, MIB, Figures
from tests.performance.measuring import ONE_BY_ONE
from tests.performance.plots import Bar, Plot
from tests.performance.samples import QUICK_LATENCY, Samples

COLUMNS = (
    "design",
    "batch of 10: wall",
    "CPU ms a song",
    "AWS calls",
    "batch of 100: wall",
    "first TLS batch: wall",
    "CPU ms a song",
    "peak MiB",
)

NOTES = """Wall times are multiples of one bare API call (connect, create, response) of the same round, as medians. CPU
time is that of the whole process. Every batch that counts was checked for its work: each song is claimed, created once
and recorded. This handler also tracks it by a check and publishes an event, which no alternative does.

- Measured without a pace (`CreatesPerMinute=0`), but for the two `shipped` figures. At the default pace a song comes
  every 3 seconds, so there is nothing to batch: the wall time is that of the slots, and each song has its own claim,
  task, check and event.
- Without TLS, a subclass of the music API's client connects unencrypted, which the real one refuses. The rest is real.
- The wall times of (a) and (c) are from few rounds. Their CPU time is measured with an API that responds in {quick} ms,
  because waiting uses no CPU time{check}.
- Not measured: the network; the latency and the condition checks of AWS services (the stubs accept every write at
  once); Lambda's own startup and its share of a core (a seventh with 256 MiB); SQS polling; the vendor under load.
"""

_START, _END = "<!-- bench: `make bench BENCH_README=1` writes from here -->", "<!-- bench: to here -->"


def report(figures: Figures) -> str:
    machine = f"CPython {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    busy = f"load average before the run {figures.load:.1f}; the stubs used {figures.stub_share:.0%} of their own core"
    return "\n".join((*_table(figures), "", _notes(figures), *_figures(figures), "", f"Measured on {machine}; {busy}."))


def write_readme(readme: Path, figures: Figures) -> None:
    """Write the report between the markers of the README."""
    text = readme.read_text(encoding="utf-8")
    written = f"{_START}\n\n{report(figures)}\n\n{_END}"
    pattern = f"{re.escape(_START)}.*{re.escape(_END)}"
    if not re.search(pattern, text, flags=re.DOTALL):
        raise ValueError(f"{readme} lacks the markers of the figures")
    readme.write_text(re.sub(pattern, lambda _: written, text, flags=re.DOTALL), encoding="utf-8")


def plots(figures: Figures) -> list[Plot]:
    """The plots whose parts were measured."""
    drawn = []
    if figures.warm and figures.one_by_one:
        walls = {design: _wall_of(figures, design) for design in SHORT_LABELS}
        cpus = {design: figures.warm.median(design, "cpu") * 100 for design in SHORT_LABELS}
        drawn.append(_plot("batch10-wall", "Warm batch of 10: wall time, as a multiple of one API call", walls))
        drawn.append(_plot("batch10-cpu", "Warm batch of 10: CPU time, in ms a song", cpus))
    if figures.first:
        firsts = {
            design: figures.first.ratio(design, Design.API_CALL, "wall")
            for design in SHORT_LABELS
            if figures.first.of_design(design)
        }
        drawn.append(
            _plot("first-tls-wall", "First batch of 10 over TLS: wall time, as a multiple of one API call", firsts)
        )
    return drawn


def _plot(name: str, title: str, values: dict[Design, float]) -> Plot:
    bars = [Bar(SHORT_LABELS[design], value, design is Design.OURS) for design, value in values.items()]
    return Plot(name, title, bars)


def _table(figures: Figures) -> list[str]:
    rows = [list(COLUMNS), ["---"] * len(COLUMNS)]
    rows += [[label, *_cells(figures, design)] for design, label in LABELS.items()]
    return [f"| {' | '.join(row)} |" for row in rows]


def _cells(figures: Figures, design: Design) -> list[str]:
    return [
        f"{_wall_of(figures, design):.2f}" if figures.warm and figures.one_by_one else "",
        _median(figures.warm, design, "cpu", 100, "{:.1f}"),
        _median(figures.warm, design, "aws_calls", 1, "{:.0f}"),
        _wall(figures.hundred, design),
        _wall(figures.first, design),
        _median(figures.first, design, "cpu", 100, "{:.1f}"),
        _median(figures.peak, design, "peak", 1 / MIB, "{:.0f}"),
    ]


def _wall_of(figures: Figures, design: Design) -> float:
    assert figures.warm
    assert figures.one_by_one
    samples = figures.one_by_one if design in ONE_BY_ONE else figures.warm
    return samples.ratio(design, Design.API_CALL, "wall")


def _wall(samples: Samples | None, design: Design) -> str:
    if samples is None or not samples.of_design(design):
        return ""
    return f"{samples.ratio(design, Design.API_CALL, 'wall'):.2f}"


def _median(
    samples: Samples | None, design: Design, what: Literal["cpu", "aws_calls", "peak"], times: float, form: str
) -> str:
    if samples is None or not samples.of_design(design):
        return ""
    return form.format(samples.median(design, what) * times)


def _notes(figures: Figures) -> str:
    check = ""
    if figures.warm and figures.one_by_one:
        quick, slow = (part.median(Design.SEQUENTIAL, "cpu") * 100 for part in (figures.warm, figures.one_by_one))
        check = f" (here (a) used {quick:.1f} ms a song, and {slow:.1f} ms with the full latency)"
    return NOTES.format(quick=QUICK_LATENCY, check=check)


def _figures(figures: Figures) -> list[str]:
    rows = [f"| `{name}` | {value:g} | {MEANINGS[name]} |" for name, value in figures.by_key().items()]
    return ["| figure | value | meaning |", "|---|---|---|", *rows]
