"""The parts of the benchmark, and the number of their rounds."""

import os
import sysconfig
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.performance.clients import Clients
from tests.performance.cold_start import built_layers, cold_starts, shipped_function
from tests.performance.copying import MEBIBYTES, copying
from tests.performance.designs import Design
from tests.performance.figures import PACE, PACED_BATCH, Figures, Paced
from tests.performance.paced import Load, run_paced
from tests.performance.samples import QUICK_LATENCY, Plan, Sample, Samples, Turn
from tests.performance.surroundings import SOURCES, environment

PARTS = ("warm", "shipped", "hundred", "first", "peak", "cold", "paced", "copying")

# One song after another takes ten times as long for every batch. Their CPU time does not depend on waiting, so it is
# measured with QUICK_LATENCY.
ONE_BY_ONE = (Design.SEQUENTIAL, Design.IDEMPOTENCY)
SIDE_BY_SIDE = (Design.OURS, Design.THREADS, Design.FLOOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """latency: milliseconds of a create. warm_up: batches that do not count. The others: rounds of each part; a part
    with 0 rounds uses the samples of another part.
    """

    latency: int
    warm_up: int
    rounds: int
    one_by_one_rounds: int
    hundred_rounds: int
    first_rounds: int
    peak_rounds: int
    cold_rounds: int
    shipped_rounds: int
    copying_rounds: int = 5
    copied_mebibytes: int = MEBIBYTES
    pace: int = PACE
    """Creates a minute of the part "shipped"."""
    from_built_layers: bool = True
    """Whether a cold start is measured with built layers, which downloads dependencies; else with this environment."""


FULL = Effort(
    latency=500,
    warm_up=3,
    rounds=20,
    one_by_one_rounds=3,
    hundred_rounds=8,
    first_rounds=9,
    peak_rounds=2,
    cold_rounds=15,
    shipped_rounds=3,
)
# Runs all the code once; its times mean nothing.
QUICK = Effort(
    latency=QUICK_LATENCY,
    warm_up=0,
    rounds=1,
    one_by_one_rounds=0,
    hundred_rounds=0,
    first_rounds=1,
    peak_rounds=0,
    cold_rounds=1,
    shipped_rounds=1,
    copying_rounds=1,
    copied_mebibytes=6,
    pace=600,
    from_built_layers=False,
)


def measure(clients: Clients, effort: Effort, parts: Collection[str] = PARTS) -> Figures:
    figures = Figures(load=os.getloadavg()[0])
    began, cpu = time.monotonic(), clients.stub.control.cpu()
    if "warm" in parts:
        figures.warm = clients.warm(_plan(clients, effort, 10, effort.rounds, SIDE_BY_SIDE, ONE_BY_ONE))
        slow = _plan(clients, effort, 10, effort.one_by_one_rounds, ONE_BY_ONE)
        figures.one_by_one = clients.warm(slow) if slow.rounds else figures.warm
    if "shipped" in parts:
        figures.shipped = clients.warm(_at_the_pace(clients, effort))
    if "hundred" in parts:
        large = _plan(clients, effort, 100, effort.hundred_rounds, SIDE_BY_SIDE)
        figures.hundred = clients.warm(large) if large.rounds else figures.warm
    if "first" in parts:
        figures.first = Samples(list(_first(clients, effort)))
    built = _built(clients.folder) if effort.from_built_layers and {"peak", "cold"} & set(parts) else []
    if "peak" in parts:
        figures.peak = Samples(list(_peak(clients, effort, built))) if effort.peak_rounds else figures.first
    figures.stub_share = (clients.stub.control.cpu() - cpu) / (time.monotonic() - began)
    if "cold" in parts:
        figures.cold = _cold(clients, effort, built)
    if "paced" in parts:
        figures.paced = _paced()
    if "copying" in parts:
        figures.copying = copying(clients.folder, effort.copying_rounds, effort.copied_mebibytes)
    return figures


def _plan(
    clients: Clients,
    effort: Effort,
    batch_size: int,
    rounds: int,
    designs: tuple[Design, ...],
    for_their_cpu: tuple[Design, ...] = (),
) -> Plan:
    turns = [Turn(design, effort.latency) for design in (Design.API_CALL, *designs)]
    turns += [Turn(design, QUICK_LATENCY) for design in for_their_cpu]
    return Plan(clients.stub.plain_port, batch_size, effort.warm_up, rounds=[turns] * rounds)


def _at_the_pace(clients: Clients, effort: Effort) -> Plan:
    """This handler and (a), whose CPU time it is compared with. A batch takes as long as its slots."""
    turns = [Turn(Design.OURS, QUICK_LATENCY), Turn(Design.SEQUENTIAL, QUICK_LATENCY)]
    rounds = [turns] * effort.shipped_rounds
    return Plan(clients.stub.plain_port, PACED_BATCH, min(effort.warm_up, 1), rounds, effort.pace)


def _first(clients: Clients, effort: Effort) -> Iterator[Sample]:
    for number in range(effort.first_rounds):
        slow = (Design.SEQUENTIAL,) if number < effort.one_by_one_rounds else ()
        yield from clients.first((*SIDE_BY_SIDE, *slow), number, 1, effort.latency)


def _peak(clients: Clients, effort: Effort, built: Sequence[Path]) -> Iterator[Sample]:
    for number in range(effort.peak_rounds):
        yield from clients.first(SIDE_BY_SIDE, number, 5, effort.latency, built)


def _built(folder: Path) -> list[Path]:
    """The folders of the built function and of the built layers."""
    return [shipped_function(folder), built_layers(folder) / "python"]


def _cold(clients: Clients, effort: Effort, built: Sequence[Path]) -> Samples:
    # The function calls no service while it starts, so the addresses do not matter. No CA bundle is set, as on Lambda:
    # the function reads the bundle in its layer.
    surroundings = environment(clients.stub, tls=False, batch_size=10)
    path = built or [*SOURCES, Path(sysconfig.get_path("purelib"))]
    warm_up = -1 if effort.warm_up else 0
    return cold_starts(path, surroundings, range(warm_up, effort.cold_rounds), clients.folder / "bytecode")


def _paced() -> Paced:
    result = run_paced(Load(skew=0.01))
    return Paced(result.share_of_rate, result.answers_429)
