"""The time of a simulation."""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any
from unittest import mock

from song_intake.aws import group_commit
from song_intake.work import batch
from tests.properties.simulation.one_core import one_core


@contextmanager
def simulated_time(wall: Callable[[], float], monotonic: Callable[[], float]) -> Iterator[None]:
    """Patch the clocks, and turn off the waiting of GroupCommit: with one record there are no calls to batch.

    Batch waits for its record in real time. While the record has stopped before a call, that wait must not end, however
    long a busy machine takes for a schedule.
    """
    with (
        mock.patch("time.time", wall),
        mock.patch("time.monotonic", monotonic),
        mock.patch.object(group_commit, "GATHER_SECONDS", 0),
        mock.patch.object(batch, "wait", _wait),
        one_core(),
    ):
        yield


def _wait(running: Collection[Future[Any]], timeout: float) -> None:
    wait(running)
