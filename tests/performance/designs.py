"""The designs that are compared, and their names in the report."""

from enum import StrEnum


class Design(StrEnum):
    OURS = "ours"
    SEQUENTIAL = "sequential"
    THREADS = "threads"
    IDEMPOTENCY = "idempotency"
    FLOOR = "floor"
    API_CALL = "one API call"
    """Not a design: one bare create on a new connection. The wall times of the designs are divided by its time."""
    BOTO3 = "import boto3"
    """Not a design: the time of a cold start is divided by it."""


MODULES = {
    Design.OURS: "submit_song",
    Design.SEQUENTIAL: "tests.performance.rival_sequential",
    Design.THREADS: "tests.performance.rival_threads",
    Design.IDEMPOTENCY: "tests.performance.rival_idempotency",
    Design.FLOOR: "tests.performance.floor",
}

LABELS = {
    Design.OURS: "**this handler**",
    Design.SEQUENTIAL: "(a) Powertools BatchProcessor, one after another",
    Design.THREADS: "(b) the same calls in a thread pool",
    Design.IDEMPOTENCY: "(c) Powertools Idempotency around the call",
    Design.FLOOR: "(d) theoretical minimum: raw sockets, requests signed by hand",
}

SHORT_LABELS = {
    Design.OURS: "this handler",
    Design.SEQUENTIAL: "(a) one after another",
    Design.THREADS: "(b) thread pool",
    Design.IDEMPOTENCY: "(c) Idempotency",
    Design.FLOOR: "(d) minimum: raw sockets",
}
