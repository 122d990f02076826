"""The local cloud freezes a function between its invocations, as Lambda does: its threads and its monotonic clock."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.local.cloud.cloud import Cloud
from tests.local.cloud.frozen_runtime import StoppableClock
from tests.local.cloud.probe_stack import JOURNAL, Probe, deploy_probe
from tests.local.waiting import wait_for

FROZEN_SECONDS = 2.0
# The process runs for a moment after its reading of the clocks, and before the next one. A busy machine prolongs it.
RUNNING_SECONDS = 1.0
SECONDS_UNTIL_MINISTACK_KILLS = 2.0


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[Probe]:
    journal = tmp_path / "journal"
    with Cloud(tmp_path, {JOURNAL: str(journal)}) as cloud:
        yield deploy_probe(cloud, journal, "probe")


def test_between_two_invocations_only_the_wall_clock_goes_on(probe: Probe) -> None:
    before, _ = _readings(probe)
    time.sleep(FROZEN_SECONDS)
    after, _ = _readings(probe)
    assert after.process_id == before.process_id, "a warm process is reused"
    passed = after.since(before)
    assert passed["wall"] >= FROZEN_SECONDS
    assert 0 < passed["monotonic"] < RUNNING_SECONDS
    assert 0 < passed["perf_counter"] < RUNNING_SECONDS
    assert 0 <= passed["milliseconds_counted"] < RUNNING_SECONDS * 1000


def test_within_an_invocation_every_clock_and_thread_goes_on(probe: Probe) -> None:
    begin, end = _readings(probe, seconds=RUNNING_SECONDS)
    passed = end.since(begin)
    assert passed["wall"] >= RUNNING_SECONDS - 0.1
    assert passed["monotonic"] >= RUNNING_SECONDS
    assert passed["perf_counter"] >= RUNNING_SECONDS
    # A busy machine runs the thread less often.
    assert passed["milliseconds_counted"] > RUNNING_SECONDS * 100


def test_a_frozen_function_ends_as_quickly_as_a_running_one(probe: Probe) -> None:
    _readings(probe)
    wait_for(
        lambda: [process.state[:1] for process in probe.cloud.function_processes()] == ["T"],
        "the function to be frozen",
    )
    began = time.monotonic()
    probe.cloud.reset()
    assert time.monotonic() - began < SECONDS_UNTIL_MINISTACK_KILLS
    assert probe.cloud.function_process_ids() == []


@dataclass(frozen=True, slots=True)
class Reading:
    """Seconds by each clock, and milliseconds that a thread of the function has counted."""

    process_id: int
    clocks: dict[str, float]

    def since(self, earlier: "Reading") -> dict[str, float]:
        return {name: value - earlier.clocks[name] for name, value in self.clocks.items()}


def _readings(probe: Probe, seconds: float = 0) -> list[Reading]:
    """Two readings in one invocation, `seconds` apart."""
    (delivery,) = probe.wait_for_deliveries(probe.order("read clocks", seconds=seconds), 1)
    return [Reading(delivery.process_id, clocks) for clocks in json.loads(delivery.outcome)]


# The clock


def test_a_stopped_clock_goes_on_where_it_stopped() -> None:
    now = 100
    clock = StoppableClock(lambda: now)
    now = 101
    clock.stop()
    now = 150
    assert clock.nanoseconds() == 101
    clock.start()
    now = 152
    assert clock.nanoseconds() == 103
    clock.stop()
    now = 200
    clock.start()
    assert clock.nanoseconds() == 103
    assert clock.seconds() == 103e-9


def test_no_thread_sees_the_clock_run_backwards() -> None:
    clock, done = StoppableClock(time.monotonic_ns), threading.Event()
    backwards: list[int] = []

    def watch() -> None:
        last = clock.nanoseconds()
        while not done.is_set():
            if (now := clock.nanoseconds()) < last:
                backwards.append(last - now)
            last = now

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for thread in watchers:
        thread.start()
    for _ in range(5000):
        clock.stop()
        clock.start()
    done.set()
    for thread in watchers:
        thread.join()
    assert backwards == []
