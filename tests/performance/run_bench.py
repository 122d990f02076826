"""`make bench`: compares this project's handler with four other implementations, with stubs on this machine.

BENCH_JSON=file         writes the figures into this file
BENCH_README=1          writes the report into README.md beside this file, and CPU times into measured.json
BENCH_PARTS=warm,cold   measures only these parts, and draws no plots
"""

import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from tests.performance.clients import Clients
from tests.performance.measured import renew
from tests.performance.measuring import FULL, PARTS, measure
from tests.performance.plots import PLOTS
from tests.performance.report import plots, report, write_readme
from tests.performance.stub import PROJECT, StubProcess

HOW = f"make bench, warm batch of 10 without TLS; CPython {platform.python_version()} on {platform.machine()}"


def main() -> None:
    parts = os.environ.get("BENCH_PARTS") or ",".join(PARTS)
    with tempfile.TemporaryDirectory() as folder, StubProcess(Path(folder)) as stub:
        if hasattr(os, "sched_setaffinity"):
            # The clients inherit it: they run on the first core, and the stub on the last one.
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        figures = measure(Clients(stub, Path(folder)), FULL, parts.split(","))
    sys.stdout.write(report(figures) + "\n")
    if os.environ.get("BENCH_JSON"):
        Path(os.environ["BENCH_JSON"]).write_text(json.dumps(figures.by_key(), indent=2) + "\n")
    if set(parts.split(",")) >= set(PARTS):
        for plot in plots(figures):
            plot.write(PLOTS)
    if os.environ.get("BENCH_README"):
        write_readme(PROJECT / "tests/performance/README.md", figures)
        renew(figures.cpu_of_a_song(), HOW)


if __name__ == "__main__":
    main()
