"""The parts of the benchmark, and how long each goes on."""

from collections.abc import Collection
from dataclasses import dataclass

from tests.performance.clients import Clients
from tests.performance.designs import Design
from tests.performance.figures import Figures
from tests.performance.samples import Plan, Samples, Turn

PARTS = ("warm", "hundred", "first", "peak", "cold")

# One after another, ten creates take ten times as long, which says nothing more with every round, and their processor
# time does not depend on it: it is taken with a music API that is this quick (milliseconds).
QUICK = 20

_ONE_BY_ONE = (Design.SEQUENTIAL, Design.IDEMPOTENCY)
_SIDE_BY_SIDE = (Design.OURS, Design.THREADS, Design.FLOOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """latency: milliseconds that a create takes. Rounds of each part."""

    latency: int
    rounds: int
    sequential_rounds: int
    hundred_rounds: int
    first_rounds: int
    peak_rounds: int
    cold_rounds: int


def measure(clients: Clients, effort: Effort, parts: Collection[str]) -> Figures:
    figures = Figures()
    if "warm" in parts:
        figures.warm = clients.warm(_plan(clients, effort, 10, effort.rounds, _SIDE_BY_SIDE, _ONE_BY_ONE))
        figures.one_by_one = clients.warm(_plan(clients, effort, 10, effort.sequential_rounds, _ONE_BY_ONE))
    if "hundred" in parts:
        figures.hundred = clients.warm(_plan(clients, effort, 100, effort.hundred_rounds, _SIDE_BY_SIDE))
    if "first" in parts:
        figures.first = _first(clients, effort, effort.first_rounds, 1)
    if "peak" in parts:
        figures.peak = _first(clients, effort, effort.peak_rounds, 5)
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
    turns += [Turn(design, QUICK) for design in for_their_cpu]
    return Plan(clients.stub.plain_port, batch_size, warm_up=3, rounds=[turns] * rounds)


def _first(clients: Clients, effort: Effort, rounds: int, batches: int) -> Samples:
    numbers = range(rounds)
    return Samples([s for number in numbers for s in clients.first(_SIDE_BY_SIDE, number, batches, effort.latency)])
