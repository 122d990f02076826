"""Fuzzes the targets, two at a time, or replays one input.

    python -m tests.fuzz [--target=NAME,...] [--executions=1000000] [--engine=atheris|hypothesis] [--jobs=2]
    python -m tests.fuzz --target=NAME --input=PATH

atheris keeps the inputs that reached new code in .fuzz/NAME/corpus, and begins with them the next time.
"""

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import ROOT, TARGETS, no_waiting

FOLDER = ".fuzz"
_WORKERS = {"atheris": "tests.fuzz.worker", "hypothesis": "tests.fuzz.hypothesis_worker"}
_COUNT = re.compile(r"stat::number_of_executed_units: (\d+)")
_LINES_OF_A_FAILURE = 40


@dataclass(frozen=True, slots=True)
class Run:
    """What one target did."""

    name: str
    executions: int
    seconds: float
    failure: str = ""
    """The end of the worker's output, if it failed."""
    input: Path | None = None
    """The input that failed."""

    def __str__(self) -> str:
        rate = self.executions / self.seconds if self.seconds else 0
        end = "FAILED" if self.failure else "ok"
        return f"{self.name:16}{self.executions:>12,} executions{self.seconds:>9,.0f} s{rate:>9,.0f} a second   {end}"


def run(name: str, executions: int, engine: str) -> Run:
    """Run one target in a process of its own."""
    folder = ROOT / FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    known = set(folder.iterdir())
    began = time.monotonic()
    worker = subprocess.run(
        [sys.executable, "-m", _WORKERS[engine], name, str(executions), str(Path(FOLDER) / name)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "layers/song_intake"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    seconds = time.monotonic() - began
    counts = _COUNT.findall(worker.stdout)
    done = Run(name, int(counts[-1]) if counts else 0, seconds)
    if worker.returncode == 0 and done.executions >= executions:
        return done
    saved = [path.relative_to(ROOT) for path in folder.iterdir() if path.is_file() and path not in known]
    output = "\n".join(worker.stdout.splitlines()[-_LINES_OF_A_FAILURE:]) or "no output"
    return Run(name, done.executions, seconds, output, saved[0] if saved else None)


def fuzz(names: list[str], executions: int, engine: str, jobs: int) -> int:
    """Run the targets, and print what each did. Returns the exit status."""
    _show(f"{engine}: {executions:,} executions of each of {len(names)} targets")
    failures = 0
    with ThreadPoolExecutor(jobs) as pool:
        for done in pool.map(lambda name: run(name, executions, engine), names):
            _show(done)
            if done.failure:
                failures += 1
                _show(done.failure)
                if done.input:
                    _show(f"The input is kept. To replay it: make fuzz TARGET={done.name} INPUT={done.input}")
    return 1 if failures else 0


def replay(name: str, path: Path) -> int:
    """Check one input. Raises what the target raises."""
    with no_waiting():
        TARGETS[name].check(path.read_bytes())
    _show(f"{name} holds for {path}")
    return 0


def _show(text: object) -> None:
    print(text, flush=True)  # noqa: T201


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="make fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    has_atheris = importlib.util.find_spec("atheris") is not None
    parser.add_argument("--target", default="", help="names of targets, with commas; default: all")
    parser.add_argument("--executions", type=lambda text: int(text or 1_000_000), default=1_000_000)
    parser.add_argument("--engine", type=lambda text: text or ("atheris" if has_atheris else "hypothesis"), default="")
    parser.add_argument("--jobs", type=lambda text: int(text or 2), default=2)
    parser.add_argument("--input", default="", help="the input to replay")
    options = parser.parse_args(arguments)
    names = [name for name in options.target.split(",") if name] or list(TARGETS)
    if unknown := set(names) - TARGETS.keys():
        parser.error(f"no target {', '.join(sorted(unknown))}; the targets are {', '.join(TARGETS)}")
    if options.input:
        if len(names) != 1:
            parser.error("an input is replayed by one target: give its name")
        return replay(names[0], Path(options.input))
    if options.engine not in _WORKERS:
        parser.error(f"the engines are {', '.join(_WORKERS)}")
    return fuzz(names, options.executions, options.engine, options.jobs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
