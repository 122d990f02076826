"""`make load`: the whole stack on this machine at its full rate, and then while its functions are killed.

Real: the shipped template, AWS's runtime client in a process for each execution environment, TLS, and the queues,
tables and rights of the local cloud. Simulated: the music API, as an HTTPS server. Needs Linux.

LOAD_SECONDS=number   sends for so many seconds instead of 600; 0 leaves this part out
LOAD_KILLS=number     kills so many function processes instead of 1,000; 0 leaves this part out

Exit code 1 if a request was lost or paid twice, or if the memory or the descriptors of a function grew.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.load.figures import Ended, Figure, ends_of, of_ends, of_growth
from tests.load.stack import Sender, up, wait_for_the_end
from tests.load.usage import Watch, growth
from tests.local.cloud.cloud import Cloud
from tests.local.intake import Intake
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.waiting import wait_for

SECONDS: Final = 600.0
KILLS: Final = 1_000
SECONDS_BETWEEN_LINES: Final = 60.0
# At least this long, so that a function that has just started gets some work done.
SECONDS_BETWEEN_KILLS: Final = 0.5
SECONDS_FOR_A_CREATE: Final = 300.0
FROZEN: Final = "T"


def under_load(seconds: float) -> list[Figure]:
    """Send for that many seconds, and wait for the ends."""
    with up() as (intake, vendor, sender):
        with Watch(intake.cloud.function_process_ids) as watch:
            with sender:
                _wait(seconds, vendor)
            waiting = intake.in_queue()
            created = len(vendor.creates)
        ends = _ends(sender, intake, vendor)
    grown = growth(watch.between(0.1 * seconds, 0.2 * seconds), watch.between(0.9 * seconds, seconds))
    rates = [
        Figure("messages a second", (ends.sent - waiting) / seconds),
        Figure("songs created a second", created / seconds),
    ]
    return [*rates, *of_ends(ends), *of_growth(grown)]


def under_kills(kills: int) -> list[Figure]:
    """Send, and kill one function process after the other, then wait for the ends."""
    began = time.monotonic()
    with up() as (intake, vendor, sender):
        with sender:
            killed = [_kill_one(intake.cloud, vendor) for _ in range(kills)]
        ends = _ends(sender, intake, vendor)
    return [
        Figure("function processes killed", len(killed)),
        Figure("killed while they worked", sum(killed)),
        Figure("seconds", time.monotonic() - began),
        *of_ends(ends),
    ]


def _ends(sender: Sender, intake: Intake, vendor: MusicVendor) -> Ended:
    wait_for_the_end(intake)
    ends = ends_of(sender.request_ids, intake, vendor.creates)
    for name, request_ids in (("lost", ends.lost), ("paid twice", ends.paid_twice)):
        for request_id in request_ids:
            sys.stderr.write(f"{request_id} is {name}: {intake.row(request_id)}\n")
    return ends


def _kill_one(cloud: Cloud, vendor: MusicVendor) -> bool:
    """Kill a process, if possible one that works. Returns whether it did. Between two kills, some song is created."""
    processes = wait_for(cloud.function_processes, "a function process", SECONDS_FOR_A_CREATE)
    working = [process for process in processes if not process.state.startswith(FROZEN)]
    chosen = random.choice(working or processes)  # noqa: S311 - chooses a process, guards nothing
    try:
        os.kill(chosen.process_id, signal.SIGKILL)
    except ProcessLookupError:
        return _kill_one(cloud, vendor)
    created = len(vendor.creates)
    time.sleep(SECONDS_BETWEEN_KILLS)
    vendor.wait_for(lambda: len(vendor.creates) > created, SECONDS_FOR_A_CREATE)
    return bool(working)


def _wait(seconds: float, vendor: MusicVendor) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SECONDS_BETWEEN_LINES))
        sys.stderr.write(f"{seconds - max(0.0, end - time.monotonic()):.0f} s: {len(vendor.creates):,} songs\n")


def main() -> int:
    """Returns the exit status."""
    if not Path("/proc/self/statm").exists():
        sys.stderr.write("make load reads /proc, so it needs Linux\n")
        return 2
    seconds = float(os.environ.get("LOAD_SECONDS") or SECONDS)
    kills = int(os.environ.get("LOAD_KILLS") or KILLS)
    figures: list[Figure] = []
    if seconds:
        figures += _shown(f"At full rate for {seconds:g} s", under_load(seconds))
    if kills:
        figures += _shown(f"\nWith {kills:,} kills", under_kills(kills))
    return 1 if any(figure.is_broken for figure in figures) else 0


def _shown(title: str, figures: Sequence[Figure]) -> Sequence[Figure]:
    _show("\n".join([title, *map(str, figures)]))
    return figures


def _show(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
