"""Waiting for a condition instead of for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PROBE_EVERY = 0.02  # seconds


def wait_for(probe: Callable[[], T | None], what: str, seconds: float = 60.0) -> T:
    """The first true value that `probe` returns. Raises TimeoutError, which names `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if found := probe():
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(PROBE_EVERY)
