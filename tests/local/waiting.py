"""Waiting for a condition instead of for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY = 0.02  # seconds


def wait_for(probe: Callable[[], T | None], what: str, seconds: float = 20.0) -> T:
    """What `probe` returns as soon as that is true; `TimeoutError` that says `what` was awaited after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if found := probe():
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(LOOK_EVERY)
