"""The time of a simulation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from song_intake.aws import group_commit
from tests.properties.simulation.one_core import one_core


@contextmanager
def simulated_time(wall: Callable[[], float], monotonic: Callable[[], float]) -> Iterator[None]:
    """Nobody waits for a moment in it: a single record has no others to gather."""
    with (
        mock.patch("time.time", wall),
        mock.patch("time.monotonic", monotonic),
        mock.patch.object(group_commit, "GATHER_SECONDS", 0),
        one_core(),
    ):
        yield
