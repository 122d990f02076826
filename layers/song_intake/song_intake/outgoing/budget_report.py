"""Reports the use of the budget: metrics in percent of the limits (that of the sender who used most), and the sender.

The sender is a member of the line and no dimension: each value of a dimension would be a metric of its own, and be paid
for. The line is an event of the embedded metric format, written in one piece, because other threads write too:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from song_intake.outgoing.metrics import BUDGET_USED, SENDER_BUDGET_USED

if TYPE_CHECKING:
    from song_intake.outgoing.telemetry import Telemetry


class BudgetReport:
    """Safe to share between threads. Never raises: a metric that cannot be written must not fail a request.

    stack_limit, sender_limit: creates a day; 0 for none.
    """

    def __init__(self, telemetry: Telemetry, stack_limit: int, sender_limit: int) -> None:
        self._telemetry = telemetry
        self._stack_limit = stack_limit
        self._sender_limit = sender_limit

    def used(self, sender: str, used: int, by_sender: Mapping[str, int]) -> None:
        """How many creates of this day are counted, now that one of this sender was reserved or refused."""
        metrics: dict[str, float] = {}
        if self._stack_limit:
            metrics[BUDGET_USED] = _percent(used, self._stack_limit)
        if self._sender_limit:
            metrics[SENDER_BUDGET_USED] = _percent(max(by_sender.values(), default=0), self._sender_limit)
        with contextlib.suppress(Exception):
            keys = {"action": "budget", "sender": sender, "used": used, "used_by_sender": by_sender.get(sender)}
            sys.stdout.write(json.dumps({**self._directive(list(metrics)), **keys, **metrics}) + "\n")

    def not_given_back(self, sender: str, day: str, why: str) -> None:
        """A create that did not happen may stay counted."""
        with contextlib.suppress(Exception):
            keys = {"action": "budget", "sender": sender, "day": day, "reason": why}
            self._telemetry.logger.warning("a create that did not happen may stay counted", extra=keys)

    def _directive(self, names: list[str]) -> dict[str, object]:
        """What makes a metric of each of these members."""
        metrics = self._telemetry.metrics
        directive = {
            "Namespace": metrics.namespace,
            "Dimensions": [["service"]],
            "Metrics": [{"Name": name, "Unit": "Percent"} for name in names],
        }
        at = round(time.time() * 1000)
        return {"_aws": {"Timestamp": at, "CloudWatchMetrics": [directive]}, "service": metrics.service}


def _percent(used: int, limit: int) -> float:
    return round(100 * used / limit, 2)
