"""The processes of this machine: from /proc on Linux, where a small image may have no `ps`, and from `ps` elsewhere."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    process_id: int
    group: int
    state: str
    """As `ps` shows it: T is stopped."""
    command: str


def living_processes() -> list[Process]:
    """All processes that have not ended. One that ends meanwhile may be left out."""
    found = _from_proc() if Path(_PROC, "self/stat").exists() else _from_ps()
    return [process for process in found if process.state[0] not in "ZX"]


def _from_proc() -> Iterator[Process]:
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The name before it is in parentheses, and may contain some.
            state, _, group, *_ = Path(folder, "stat").read_text(errors="replace").rpartition(")")[2].split()
            command = Path(folder, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        yield Process(int(folder.name), int(group), state, command)


def _from_ps() -> Iterator[Process]:
    columns = ["-o", "pid=", "-o", "pgid=", "-o", "stat=", "-o", "args="]
    listing = subprocess.run(["ps", "-A", "-ww", *columns], capture_output=True, check=True, text=True).stdout  # noqa: S607
    for line in listing.splitlines():
        process_id, group, state, *command = line.split(maxsplit=3)
        yield Process(int(process_id), int(group), state, command[0] if command else "")
