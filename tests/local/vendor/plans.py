"""What was planned for the songs of a title: each taken once, in order."""

import threading
from collections import defaultdict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Plans(Generic[T]):
    """Plans by title; `usual` is what becomes of a song that has none. None stands for songs without a title."""

    def __init__(self, usual: T) -> None:
        self._usual = usual
        self._for_all: T | None = None
        self._of_titles: defaultdict[str | None, deque[T]] = defaultdict(deque)
        self._lock = threading.Lock()

    def add(self, title: str | None, plans: tuple[T, ...]) -> None:
        with self._lock:
            self._of_titles[title].extend(plans)

    def set_for_all(self, plan: T | None) -> None:
        """What becomes of every song without a plan of its own; None: as usual."""
        with self._lock:
            self._for_all = plan

    def take(self, title: str | None) -> T:
        with self._lock:
            planned = self._of_titles[title]
            if planned:
                return planned.popleft()
            return self._usual if self._for_all is None else self._for_all

    def clear(self) -> None:
        with self._lock:
            self._of_titles.clear()
            self._for_all = None
