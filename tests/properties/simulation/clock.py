"""The time of a simulation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from song_intake.aws import group_commit
from tests.properties.simulation.one_core import one_core


@contextmanager
def simulated_time(wall: Callable[[], float], monotonic: Callable[[], float]) -> Iterator[None]:
    """Patch the clocks, and turn off the waiting of GroupCommit: with one record there are no calls to batch."""
    with (
        mock.patch("time.time", wall),
        mock.patch("time.monotonic", monotonic),
        mock.patch.object(group_commit, "GATHER_SECONDS", 0),
        one_core(),
    ):
        yield
