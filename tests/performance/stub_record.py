"""What the stub was asked for: by this every design shows that it did the work."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

TITLE = re.compile(r"bench-song-\w+")
TASK = re.compile(r"task-[0-9a-f]{32}")


def task_of(title: str) -> str:
    """The task that the stub names for a song: by it a record is told to be of the right song."""
    return f"task-{hashlib.md5(title.encode(), usedforsecurity=False).hexdigest()}"


def _counter() -> Counter[str]:
    return Counter()


@dataclass(slots=True)
class Record:
    """How often each thing was asked for since the record was read last."""

    created: Counter[str] = field(default_factory=_counter)
    """Creates, by title."""
    claimed: Counter[str] = field(default_factory=_counter)
    """Writes without a task, by title; by operation for a new row that does not name its song."""
    recorded: Counter[str] = field(default_factory=_counter)
    """Writes of a task, by task."""
    followed: Counter[str] = field(default_factory=_counter)
    """Checks queued, by task."""
    told: Counter[str] = field(default_factory=_counter)
    """Events, by task."""
    calls: Counter[str] = field(default_factory=_counter)
    """AWS requests, by operation."""

    def wrote(self, operation: str, row: object) -> None:
        text = repr(row)
        if tasks := set(TASK.findall(text)):
            self.recorded.update(tasks)
        elif titles := set(TITLE.findall(text)):
            self.claimed.update(titles)
        elif operation == "PutItem":
            self.claimed.update({operation})

    def checked(self, entry: object) -> None:
        self.followed.update(set(TASK.findall(repr(entry))))

    def announced(self, entry: object) -> None:
        self.told.update(set(TASK.findall(repr(entry))))

    def as_json(self) -> Mapping[str, Mapping[str, int]]:
        return {field.name: dict(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def of(cls, told: Mapping[str, Mapping[str, int]]) -> Record:
        return cls(**{field.name: Counter(told[field.name]) for field in fields(cls)})
