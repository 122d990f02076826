"""Plans for the songs of a title: each applies once, in order."""

import threading
from collections import defaultdict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Plans(Generic[T]):
    """Plans by title; `usual` applies to a song that has none. The title None means songs without a title."""

    def __init__(self, usual: T) -> None:
        self._usual = usual
        self._for_all: T | None = None
        self._of_titles: defaultdict[str | None, deque[T]] = defaultdict(deque)
        self._lock = threading.Lock()

    def add(self, title: str | None, plans: tuple[T, ...]) -> None:
        with self._lock:
            self._of_titles[title].extend(plans)

    def set_for_all(self, plan: T | None) -> None:
        """Sets the plan for every song without a plan of its own; None: the usual one."""
        with self._lock:
            self._for_all = plan

    def pop(self, title: str | None) -> T:
        with self._lock:
            planned = self._of_titles[title]
            if planned:
                return planned.popleft()
            return self._usual if self._for_all is None else self._for_all

    def clear(self) -> None:
        with self._lock:
            self._of_titles.clear()
            self._for_all = None
