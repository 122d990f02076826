"""What a client is asked to measure, and what it measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, Self

from tests.performance.designs import Design

# Milliseconds of a music API that answers at once, or nearly: for what does not depend on how long it takes.
QUICK_LATENCY = 20

What = Literal["wall", "cpu", "aws_calls", "peak"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One batch of one design, with a music API that takes `latency` milliseconds."""

    design: Design
    latency: int


@dataclass(frozen=True, slots=True)
class Plan:
    port: int
    batch_size: int
    warm_up: int
    """Batches of each design before anything counts."""
    rounds: Sequence[Sequence[Turn]]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        rounds = [[Turn(Design(turn["design"]), turn["latency"]) for turn in turns] for turns in told["rounds"]]
        return cls(told["port"], told["batch_size"], told["warm_up"], rounds)


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds that one turn took, and seconds of processor that the client spent on it in all its threads."""

    design: Design
    latency: int
    round: int
    wall: float
    cpu: float
    aws_calls: int = 0
    peak: int = 0
    """Bytes that the process held at most, until then; 0 where it was not asked."""


@dataclass(frozen=True, slots=True)
class Samples:
    all: Sequence[Sample]

    @classmethod
    def of(cls, told: Iterable[Mapping[str, Any]]) -> Self:
        return cls([Sample(**{**sample, "design": Design(sample["design"])}) for sample in told])

    def of_design(self, design: Design) -> list[Sample]:
        return [found for found in self.all if found.design is design]

    def median(self, design: Design, what: What) -> float:
        return median(_value(sample, what) for sample in self.of_design(design))

    def ratio(self, design: Design, to: Design, what: What) -> float:
        """The median of the ratios of each round, which shares what the machine did meanwhile."""
        bases = {sample.round: _value(sample, what) for sample in self.of_design(to)}
        return median(_value(sample, what) / bases[sample.round] for sample in self.of_design(design))


def _value(sample: Sample, what: What) -> float:
    value: float = getattr(sample, what)
    return value
