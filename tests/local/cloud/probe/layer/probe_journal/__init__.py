"""Writes down each delivery, where the test reads it: a file beside AWS, so that no AWS behaviour is taken on trust."""

import json
import os
import time
from pathlib import Path
from typing import Any


def write(record: dict[str, Any], order: dict[str, Any], outcome: str) -> None:
    """One line a delivery; the times in seconds since 1970."""
    attributes = record["attributes"]
    line = {
        "message_id": record["messageId"],
        "order": order,
        "receive_count": int(attributes["ApproximateReceiveCount"]),
        "first_received": int(attributes["ApproximateFirstReceiveTimestamp"]) / 1000,
        "outcome": outcome,
        "process_id": os.getpid(),
        "time": time.time(),
    }
    with Path(os.environ["JOURNAL"]).open("a") as journal:
        journal.write(json.dumps(line) + "\n")
