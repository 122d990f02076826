"""The measured figures in `measured.json`, each with the way it was measured.

`python -m tests.performance.measure_song` measures the counts and bytes, `make bench BENCH_README=1` the CPU times.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

FILE: Final = Path(__file__).with_name("measured.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Figures of one song. Log bytes are those of the function, without the lines that Lambda adds."""

    submit_cpu_ms: float
    """CPU time of this handler in a warm batch of 10."""
    one_by_one_cpu_ms: float
    """CPU time of the recipe with Powertools BatchProcessor."""
    submit_writes: float
    """Ledger writes from a message to its task_id, each of at most 1 KB."""
    submit_events: float
    submit_log_bytes: float
    wait_log_bytes: float
    """Of a poll of a song that is not finished, which writes nothing to the ledger."""
    end_writes: float
    """Ledger writes of the poll that finds the song finished."""
    end_events: float
    end_log_bytes: float
    webhook_writes: float
    """Ledger writes of a poll that a webhook caused, beyond those of another poll."""
    webhook_log_bytes: float

    @classmethod
    def load(cls, file: Path = FILE) -> Self:
        """Raises TypeError if the file lacks a figure or has an unknown one, KeyError if a figure has no value."""
        stored = json.loads(file.read_text(encoding="utf-8"))
        return cls(**{name: float(figure["value"]) for name, figure in stored.items()})


def renew(figures: Mapping[str, float], how: str, file: Path = FILE) -> None:
    """Write these figures into the file, with the way they were measured. The others are kept."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    stored |= {name: {"value": value, "how": how} for name, value in figures.items()}
    file.write_text(f"{json.dumps(stored, indent=2)}\n", encoding="utf-8")
