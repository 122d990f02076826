"""`make bench`: this project's handler against four other ways to write it, on stubs of this machine.

BENCH_JSON=file       write the figures there
BENCH_PARTS=warm,...  only these of: warm, hundred, first, peak, cold
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from tests.performance.clients import Clients
from tests.performance.measuring import PARTS, Effort, measure
from tests.performance.report import table
from tests.performance.stub import StubProcess

FULL = Effort(
    latency=500, rounds=25, sequential_rounds=3, hundred_rounds=10, first_rounds=11, peak_rounds=3, cold_rounds=15
)


def main() -> None:
    parts = set(os.environ.get("BENCH_PARTS", ",".join(PARTS)).split(","))
    with tempfile.TemporaryDirectory() as folder, StubProcess(Path(folder)) as stub:
        if hasattr(os, "sched_setaffinity"):
            # The clients inherit it; the stub has the last core for itself.
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        figures = measure(Clients(stub, Path(folder)), FULL, parts)
    sys.stdout.write(table(figures))
    if target := os.environ.get("BENCH_JSON"):
        Path(target).write_text(json.dumps(figures.keys(), indent=2) + "\n")


if __name__ == "__main__":
    main()
