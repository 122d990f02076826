"""Runs jobs in forked processes, several at a time, each within its own time."""

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn, Protocol

SECONDS_BETWEEN_LOOKS: Final = 0.01


class End(Protocol):
    def __call__(self, status: int, text: str = "") -> NoReturn: ...


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    run: Callable[["End"], None]
    """Returns, or ends its process with an exit status and what there is to report."""
    seconds: float
    """After these, the process is killed."""
    expected_seconds: float


@dataclass(slots=True)
class _Running:
    job: Job
    output: Path
    ends_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.ends_at = time.monotonic() + self.job.seconds


def run_all(jobs: Iterable[Job], at_once: int) -> Iterator[tuple[Job, int | None, str]]:
    """Each job with its exit status, None if its time was over, and its output."""
    waiting = iter(jobs)
    running: dict[int, _Running] = {}
    with tempfile.TemporaryDirectory() as folder:
        while True:
            while len(running) < at_once and (job := next(waiting, None)) is not None:
                output = Path(folder, str(time.monotonic_ns()))
                running[_fork(job, output)] = _Running(job, output)
            if not running:
                return
            for process_id, status in _ended(running):
                one = running.pop(process_id)
                yield one.job, status, one.output.read_text(errors="replace")
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _fork(job: Job, output: Path) -> int:
    sys.stdout.flush()
    output.touch()
    process_id = os.fork()
    if process_id == 0:
        _run(job, output)
    return process_id


def _run(job: Job, output: Path) -> NoReturn:
    # A group of its own, so that the processes that a test starts end with it.
    os.setpgid(0, 0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)

    def end(status: int, text: str = "") -> NoReturn:
        output.write_text(text, encoding="utf-8", errors="replace")
        os._exit(status)

    try:
        job.run(end)
    except BaseException:  # noqa: BLE001 - a failure like any other
        end(1, traceback.format_exc())
    end(0)


def _ended(running: dict[int, _Running]) -> Iterator[tuple[int, int | None]]:
    for process_id, one in list(running.items()):
        ended, status = os.waitpid(process_id, os.WNOHANG)
        if ended:
            yield process_id, 0 if status == 0 else 1
        elif time.monotonic() > one.ends_at:
            os.killpg(process_id, signal.SIGKILL)
            os.waitpid(process_id, 0)
            yield process_id, None
