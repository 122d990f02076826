"""What the function processes of a local cloud use: memory and open descriptors, read from /proc, so on Linux only."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

MIB: Final = 1024 * 1024
SECONDS_BETWEEN_SAMPLES: Final = 1.0
_PROC: Final = Path("/proc")
_NAME: Final = b"AWS_LAMBDA_FUNCTION_NAME="


@dataclass(frozen=True, slots=True)
class Usage:
    """One process at one moment."""

    function: str
    memory: int
    """In bytes: what it holds in RAM, shared pages included."""
    descriptors: int


Sample = Mapping[int, Usage]
"""The function processes at one moment, by their ids."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The use of one function's processes at two times. Only processes that were there at both times count."""

    function: str
    processes: int
    memory_before: float
    """The mean of the processes, in bytes."""
    memory_after: float
    descriptors: int
    """By how many more the process that grew most has at the second time. Calls that are under way do not count."""

    @property
    def of_memory(self) -> float:
        """In percent."""
        return 100 * (self.memory_after / self.memory_before - 1)


def usage_of(process_id: int) -> Usage | None:
    """None for a process that has ended."""
    folder = _PROC / str(process_id)
    try:
        pages = int((folder / "statm").read_text().split()[1])
        descriptors = sum(1 for _ in (folder / "fd").iterdir())
        variables = (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    name = next((one.removeprefix(_NAME).decode() for one in variables if one.startswith(_NAME)), "")
    return Usage(name, pages * os.sysconf("SC_PAGE_SIZE"), descriptors)


def sample_of(process_ids: Iterable[int]) -> Sample:
    found = {process_id: usage_of(process_id) for process_id in process_ids}
    return {process_id: usage for process_id, usage in found.items() if usage is not None and usage.function}


class Watch:
    """Samples the processes within its context, once a second."""

    def __init__(self, process_ids: Callable[[], Iterable[int]]) -> None:
        self.samples: list[tuple[float, Sample]] = []
        """With the seconds since the start."""
        self._process_ids = process_ids
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def between(self, start: float, end: float) -> list[Sample]:
        """The samples of this time, in seconds since the start."""
        return [sample for at, sample in self.samples if start <= at <= end]

    def _watch(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_SAMPLES):
            self.samples.append((time.monotonic() - self._began, sample_of(self._process_ids())))


def growth(before: Sequence[Sample], after: Sequence[Sample]) -> list[Growth]:
    """One for each function that had a process at both times."""
    first, second = _by_process(before), _by_process(after)
    both = first.keys() & second.keys()
    functions = sorted({first[process_id][0].function for process_id in both})
    return [
        _growth_of(function, [(first[one], second[one]) for one in both if first[one][0].function == function])
        for function in functions
    ]


def _growth_of(function: str, processes: Sequence[tuple[list[Usage], list[Usage]]]) -> Growth:
    return Growth(
        function,
        len(processes),
        _mean(_mean(usage.memory for usage in before) for before, _ in processes),
        _mean(_mean(usage.memory for usage in after) for _, after in processes),
        # The fewest of several moments: connections of calls that were under way have gone then.
        max(
            min(one.descriptors for one in after) - min(one.descriptors for one in before)
            for before, after in processes
        ),
    )


def _by_process(samples: Iterable[Sample]) -> dict[int, list[Usage]]:
    found: dict[int, list[Usage]] = {}
    for sample in samples:
        for process_id, usage in sample.items():
            found.setdefault(process_id, []).append(usage)
    return found


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)
