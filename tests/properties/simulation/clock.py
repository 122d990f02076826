"""The time of a simulation, and the one core that it runs on."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from song_intake import group_commit


@contextmanager
def simulated_time(wall: Callable[[], float], monotonic: Callable[[], float]) -> Iterator[None]:
    """Nobody waits for a moment in it: a single record has no others to gather."""
    with (
        mock.patch("time.time", wall),
        mock.patch("time.monotonic", monotonic),
        mock.patch.object(group_commit, "GATHERING_SECONDS", 0),
        _one_core(),
    ):
        yield


@contextmanager
def _one_core() -> Iterator[None]:
    """Only one thread is ever at work, and handing the baton to another core costs several times as much."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
