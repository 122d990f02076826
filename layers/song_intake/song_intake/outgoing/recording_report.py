"""The metrics of copied recordings."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from song_intake.outgoing.metrics import RECORDING_BYTES, RECORDINGS_KEPT

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RecordingReport:
    """Safe to share between threads. Never raises: a metric that cannot be written must not fail a copy."""

    metrics: Metrics
    _writing: threading.Lock = field(default_factory=threading.Lock, init=False)

    def copied(self, kind: str, size: int) -> None:
        """A recording of this format and of so many bytes is in the bucket."""
        with self._writing, contextlib.suppress(Exception):
            self.metrics.add_metadata("format", kind)
            self.metrics.add_metric(RECORDINGS_KEPT, MetricUnit.Count, 1)
            self.metrics.add_metric(RECORDING_BYTES, MetricUnit.Bytes, size)
            self.metrics.flush_metrics()
