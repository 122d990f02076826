"""Copying a recording: a download and an upload at the same time, compared with the download alone.

The host sends as fast as a network: on loopback without a limit, the download alone would be a copy in memory.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.performance.stub import PROJECT

MEGABYTES_A_SECOND = 40.0
MEBIBYTES = 48


@dataclass(frozen=True, slots=True)
class Copying:
    share_of_download: float
    """The speed of a copy over that of the download alone."""
    peak: float
    """The largest peak memory of a process that copied, in bytes."""


def copying(folder: Path, rounds: int, mebibytes: int = MEBIBYTES, speed: float = MEGABYTES_A_SECOND) -> Copying:
    """One fresh process for each copy and each download, by turns."""
    command = [sys.executable, "-m", "tests.performance.copying_server", str(folder), str(mebibytes), str(speed)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=PROJECT, env=_environment(), stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout
        assert server.stdin
        try:
            place = json.loads(server.stdout.readline())
            runs = [(_run("bare", place), _run("copy", place)) for _ in range(rounds)]
        finally:
            server.stdin.close()
    return Copying(
        share_of_download=median(bare[0] / copy[0] for bare, copy in runs), peak=max(copy[2] for _, copy in runs)
    )


def _run(work: str, place: dict[str, str | int]) -> tuple[float, float, float]:
    command = [sys.executable, "-m", "tests.performance.copying_client", work, str(place["port"]), str(place["bundle"])]
    run = subprocess.run(command, cwd=PROJECT, env=_environment(), check=True, stdout=subprocess.PIPE, text=True)
    wall, cpu, peak = map(float, run.stdout.split())
    return wall, cpu, peak


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT / "layers/song_intake")}
