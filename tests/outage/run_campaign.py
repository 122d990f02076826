"""`make outage`: every case of an outage with 10,000 queued requests, on the real code in virtual time.

CAMPAIGN_JSON=file    writes the figures into this file: a list of objects
QUEUED=number         queues so many requests instead
CASES=text,...        runs only the cases whose name has one of these texts
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from tests.outage.cases import CASES, Case
from tests.outage.figures import Figures, figures_of
from tests.outage.stack import Stack
from tests.properties.simulation.cores import cores, count_of_cores, take_a_core

QUEUED: Final = 10_000
COLUMNS: Final = (
    "case",
    "queued",
    "untried_dead_letters",
    "rejected_told",
    "lost",
    "doubts",
    "seconds_to_work_again",
    "paid_twice",
    "pauses",
    "days",
    "receives",
)


def run_case(case: Case, queued: int) -> Figures:
    began = time.perf_counter()
    stack = Stack(case.deployment(queued))
    case.prepare(stack)
    stack.run()
    return replace(figures_of(case, stack), real_seconds=round(time.perf_counter() - began, 1))


def table(results: Sequence[Figures]) -> str:
    """The figures as a Markdown table, with what misses its limit."""
    rows = [[str(asdict(result)[name]) for name in COLUMNS] + [", ".join(result.missed())] for result in results]
    lines = [[name.replace("_", " ") for name in COLUMNS] + ["misses"], ["---"] * (len(COLUMNS) + 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> int:
    queued = int(os.environ.get("QUEUED") or QUEUED)
    wanted = (os.environ.get("CASES") or "").split(",")
    cases = [case for case in CASES if any(text in case.name for text in wanted)]
    results: list[Figures] = []
    with ProcessPoolExecutor(count_of_cores(), initializer=take_a_core, initargs=(cores(),)) as processes:
        for result in processes.map(run_case_by_name, [case.name for case in cases], [queued] * len(cases)):
            results.append(result)
            sys.stderr.write(f"{result.real_seconds:5.1f} s  {result.case}\n")
            sys.stderr.flush()
    sys.stdout.write(table(results) + "\n")
    if file := os.environ.get("CAMPAIGN_JSON"):
        Path(file).write_text(
            json.dumps([asdict(result) for result in results], indent=2, allow_nan=False) + "\n", encoding="utf-8"
        )
    return 1 if any(result.missed() for result in results) else 0


def run_case_by_name(name: str, queued: int) -> Figures:
    """For another process, which a case with its functions cannot be sent to."""
    return run_case(next(case for case in CASES if case.name == name), queued)


if __name__ == "__main__":
    sys.exit(main())
