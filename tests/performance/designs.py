"""What is compared, by name."""

from enum import StrEnum


class Design(StrEnum):
    OURS = "ours"
    SEQUENTIAL = "sequential"
    THREADS = "threads"
    IDEMPOTENCY = "idempotency"
    FLOOR = "floor"
    API_CALL = "one API call"
    """No design: a bare create on a new connection, which is what the others' wall times are divided by."""
    BOTO3 = "import boto3"
    """No design: what a cold start is divided by."""


MODULES = {
    Design.OURS: "submit_song",
    Design.SEQUENTIAL: "tests.performance.rival_sequential",
    Design.THREADS: "tests.performance.rival_threads",
    Design.IDEMPOTENCY: "tests.performance.rival_idempotency",
    Design.FLOOR: "tests.performance.floor",
}

TOLD = {
    Design.OURS: "**this handler**",
    Design.SEQUENTIAL: "(a) Powertools BatchProcessor, one after another",
    Design.THREADS: "(b) the same calls in a thread pool",
    Design.IDEMPOTENCY: "(c) Powertools Idempotency around the call",
    Design.FLOOR: "(d) the floor: raw sockets, signed by hand",
}

SHORT = {
    Design.OURS: "this handler",
    Design.SEQUENTIAL: "(a) one after another",
    Design.THREADS: "(b) thread pool",
    Design.IDEMPOTENCY: "(c) Idempotency",
    Design.FLOOR: "(d) floor: raw sockets",
}
