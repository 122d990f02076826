"""The measurements that a client is to make, and their results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, Self

from tests.performance.designs import Design

# Milliseconds of a fast create, for measurements that do not depend on its latency.
QUICK_LATENCY = 20

What = Literal["wall", "cpu", "aws_calls", "peak"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One batch of one design; a create takes `latency` milliseconds."""

    design: Design
    latency: int


@dataclass(frozen=True, slots=True)
class Plan:
    port: int
    batch_size: int
    warm_up: int
    """Batches of each design before those that count."""
    rounds: Sequence[Sequence[Turn]]
    creates_per_minute: int = 0
    """The pace of this handler; the alternatives have none."""

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> Self:
        rounds = [[Turn(Design(turn["design"]), turn["latency"]) for turn in turns] for turns in plan["rounds"]]
        return cls(**{**plan, "rounds": rounds})


@dataclass(frozen=True, slots=True)
class Sample:
    """The wall seconds of one turn, and the CPU seconds of all threads of the client."""

    design: Design
    latency: int
    round: int
    wall: float
    cpu: float
    aws_calls: int = 0
    peak: int = 0
    """The peak memory of the process until then, in bytes; 0 if it was not measured."""


@dataclass(frozen=True, slots=True)
class Samples:
    all: Sequence[Sample]

    @classmethod
    def of(cls, samples: Iterable[Mapping[str, Any]]) -> Self:
        return cls([Sample(**{**sample, "design": Design(sample["design"])}) for sample in samples])

    def of_design(self, design: Design) -> list[Sample]:
        return [found for found in self.all if found.design is design]

    def median(self, design: Design, what: What) -> float:
        return median(_value(sample, what) for sample in self.of_design(design))

    def ratio(self, design: Design, to: Design, what: What) -> float:
        """The median of the ratios of each round. The load of the machine affects both samples of a round."""
        bases = {sample.round: _value(sample, what) for sample in self.of_design(to)}
        return median(_value(sample, what) / bases[sample.round] for sample in self.of_design(design))


def _value(sample: Sample, what: What) -> float:
    value: float = getattr(sample, what)
    return value
