"""`make soak`: a million messages with crashes, duplicates, lost answers and wrong clocks, in virtual time.

SOAK_MESSAGES=number      sends so many messages instead
SOAK_SEED=number          repeats the soak with this seed
SOAK_SEED=number:number   repeats the one schedule with this seed, and prints its steps
SOAK_PROCESSES=number     uses so many processes instead of one on each core

Exit code 1 if a message was lost, a request had two creates, or another invariant was broken.
"""

import gc
import os
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import count, islice
from multiprocessing.queues import Queue
from typing import Final

from tests.properties.simulation.cores import cores, count_of_cores, take_a_core
from tests.soak.schedules import SETTINGS, Figures, run, run_schedule

MESSAGES: Final = 1_000_000
# A schedule takes some 10 ms, so a process returns some figures every few seconds.
SCHEDULES_AT_ONCE: Final = 400
SECONDS_BETWEEN_LINES: Final = 60.0
MOST_VIOLATIONS: Final = 5
"""With so many, the soak ends early."""


def soak(seed: int, messages: int, processes: int) -> tuple[Figures, float]:
    """Run schedules until that many messages were sent. Returns what became of them, and the seconds.

    The schedules are those of the seed, whatever the number of processes.
    """
    began = time.monotonic()
    figures = Figures()
    at_next_line = began + SECONDS_BETWEEN_LINES
    with ProcessPoolExecutor(processes, initializer=_begin, initargs=(cores(),)) as pool:
        for part in _in_order(pool, seed, ahead=2 * processes):
            figures.add(part)
            for name, violation in part.violations:
                _show(f"{violation}\nTo repeat it: make soak SOAK_SEED={name}")
            if figures.counts["messages"] >= messages or len(figures.violations) >= MOST_VIOLATIONS:
                pool.shutdown(cancel_futures=True)
                break
            if time.monotonic() >= at_next_line:
                at_next_line += SECONDS_BETWEEN_LINES
                sys.stderr.write(_progress(figures, time.monotonic() - began))
    return figures, time.monotonic() - began


def _begin(free: "Queue[int]") -> None:
    take_a_core(free)
    # Modules stay. To scan them again and again would cost a tenth of a simulation.
    gc.collect()
    gc.freeze()


def _in_order(pool: ProcessPoolExecutor, seed: int, ahead: int) -> Iterator[Figures]:
    """The figures of one part of the soak after the other, without an end. `ahead` parts are begun beforehand."""
    parts: Iterator[Future[Figures]] = (
        pool.submit(run, seed, range(start, start + SCHEDULES_AT_ONCE)) for start in count(0, SCHEDULES_AT_ONCE)
    )
    begun = list(islice(parts, ahead))
    while True:
        yield begun.pop(0).result()
        begun.append(next(parts))


def report(figures: Figures, seconds: float) -> str:
    """One line a figure."""
    lines = [
        *(_line(name, number) for name, number in figures.counts.items()),
        *(_line(f"dead letters: {reason}", number) for reason, number in sorted(figures.letters.items())),
        _line("most creates of one request", figures.most_creates, "at most 1"),
        _line("requests paid twice", figures.broken("1"), "at most 0"),
        _line("messages lost", figures.broken("2"), "at most 0"),
        _line("schedules that broke any invariant", len(figures.violations), "at most 0"),
        _line("seconds", round(seconds)),
        _line("messages a second", round(figures.counts["messages"] / seconds)),
    ]
    return "\n".join(lines)


def is_good(figures: Figures) -> bool:
    return not figures.violations and figures.most_creates <= 1


def main() -> int:
    """Returns the exit status."""
    chosen = os.environ.get("SOAK_SEED") or str(random.SystemRandom().randrange(10**9))
    number, _, schedule = chosen.partition(":")
    if schedule:
        return _repeat(chosen, int(schedule))
    messages = int(os.environ.get("SOAK_MESSAGES") or MESSAGES)
    processes = int(os.environ.get("SOAK_PROCESSES") or count_of_cores())
    _show(f"{messages:,} messages in {processes} processes, with the seed {number}")
    figures, seconds = soak(int(number), messages, processes)
    _show(report(figures, seconds))
    return 0 if is_good(figures) else 1


def _repeat(seed: str, number: int) -> int:
    figures = run_schedule(seed, SETTINGS[number % len(SETTINGS)])
    for _, violation in figures.violations:
        _show(violation)
    if is_good(figures):
        _show(f"schedule {seed} breaks nothing")
    return 0 if is_good(figures) else 1


def _line(name: str, number: int, limit: str = "") -> str:
    return f"{name:44}{number:>14,}  {limit}".rstrip()


def _progress(figures: Figures, seconds: float) -> str:
    messages = figures.counts["messages"]
    return f"{messages:,} messages, {messages / seconds:.0f} a second, {len(figures.violations)} violations\n"


def _show(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
