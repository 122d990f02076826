"""The requests that the stub received: they prove that a design did the whole work."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

TITLE = re.compile(r"bench-song-\w+")
TASK = re.compile(r"task-[0-9a-f]{32}")


def task_of(title: str) -> str:
    """The task_id of a song. It depends on the title, so that a record of the wrong song shows."""
    return f"task-{hashlib.md5(title.encode(), usedforsecurity=False).hexdigest()}"


def _counter() -> Counter[str]:
    return Counter()


@dataclass(slots=True)
class Record:
    """The number of requests of each kind since the last read."""

    created: Counter[str] = field(default_factory=_counter)
    """Creates, by title."""
    claimed: Counter[str] = field(default_factory=_counter)
    """Writes without a task, by title; new rows without a title are counted by operation."""
    recorded: Counter[str] = field(default_factory=_counter)
    """Writes with a task, by task."""
    tracked: Counter[str] = field(default_factory=_counter)
    """Checks queued, by task."""
    published: Counter[str] = field(default_factory=_counter)
    """Events, by task."""
    calls: Counter[str] = field(default_factory=_counter)
    """AWS requests, by operation."""

    def add_write(self, operation: str, row: object) -> None:
        text = repr(row)
        if tasks := set(TASK.findall(text)):
            self.recorded.update(tasks)
        elif titles := set(TITLE.findall(text)):
            self.claimed.update(titles)
        elif operation == "PutItem":
            self.claimed.update({operation})

    def add_check(self, entry: object) -> None:
        self.tracked.update(set(TASK.findall(repr(entry))))

    def add_event(self, entry: object) -> None:
        self.published.update(set(TASK.findall(repr(entry))))

    def as_json(self) -> Mapping[str, Mapping[str, int]]:
        return {field.name: dict(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def of(cls, counts: Mapping[str, Mapping[str, int]]) -> Record:
        return cls(**{field.name: Counter(counts[field.name]) for field in fields(cls)})
