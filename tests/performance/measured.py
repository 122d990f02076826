"""What was measured of this project, as `measured.json` has it: every figure with how it was obtained.

`python -m tests.performance.measure_song` renews the counts and bytes, `make bench BENCH_README=1` the CPU times.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

FILE: Final = Path(__file__).with_name("measured.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Of one song; log bytes are those of our lines, without the lines that Lambda adds to each invocation."""

    submit_cpu_ms: float
    """CPU time of this handler in a warm batch of 10."""
    one_by_one_cpu_ms: float
    """CPU time of the recipe with Powertools BatchProcessor."""
    submit_writes: float
    """Ledger writes from a message to its task_id, each of at most 1 KB."""
    submit_events: float
    submit_log_bytes: float
    wait_log_bytes: float
    """A look at a song that is not finished. It writes nothing."""
    end_writes: float
    """Ledger writes of the look that finds the song finished."""
    end_events: float
    end_log_bytes: float
    webhook_writes: float
    webhook_log_bytes: float

    @classmethod
    def load(cls, file: Path = FILE) -> Self:
        """Raises KeyError and TypeError for a file that lacks a figure, or has one too many."""
        said = json.loads(file.read_text(encoding="utf-8"))
        return cls(**{name: float(figure["value"]) for name, figure in said.items()})


def renew(figures: Mapping[str, float], how: str, file: Path = FILE) -> None:
    """Put these figures into the file, and how they were obtained; the others stay as they are."""
    said = json.loads(file.read_text(encoding="utf-8"))
    said |= {name: {"value": value, "how": how} for name, value in figures.items()}
    file.write_text(f"{json.dumps(said, indent=2)}\n", encoding="utf-8")
