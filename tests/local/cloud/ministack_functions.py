"""The function processes: a Runtime API without the delay of Nagle's algorithm, starts in turns, complete logs."""

import os
import queue
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from ministack.core.lambda_runtime import ProvidedWorker

# Starting a function takes half a second of a processor. The other processors answer for the services meanwhile, since
# several clouds run at once in the tests.
STARTS_AT_ONCE = max(1, (os.cpu_count() or 1) // 2)

# A log is read within milliseconds; the rest is for a machine that is very busy.
SECONDS_TO_READ_A_LOG = 5.0


def mend() -> None:
    _answer_in_one_packet()
    _start_in_turns()
    _log_all_that_is_written()


def _start_in_turns() -> None:
    """On AWS, a function that starts takes no processor from others.

    Here, 20 that start at once would keep the emulated DynamoDB from answering for seconds, and calls to it would time
    out.
    """
    start, turns = ProvidedWorker._spawn, threading.BoundedSemaphore(STARTS_AT_ONCE)

    def start_in_turn(worker: Any, init_timeout: float | None = None) -> None:
        with turns:
            start(worker, init_timeout)

    ProvidedWorker._spawn = start_in_turn


def _answer_in_one_packet() -> None:
    """A warm invoke costs about a millisecond on AWS.

    ministack writes headers and body of an invocation in two packets, and the second waits 40 ms for the
    acknowledgement of the first. A buffered answer leaves in one.
    """
    build = ProvidedWorker._build_handler_class

    def build_buffered(worker: Any, generation: int, pending: "queue.Queue[object]") -> type[BaseHTTPRequestHandler]:
        handler: type[BaseHTTPRequestHandler] = build(worker, generation, pending)
        handler.wbufsize = -1
        handler.disable_nagle_algorithm = True
        return handler

    ProvidedWorker._build_handler_class = build_buffered


def _log_all_that_is_written() -> None:
    """On AWS, what a function writes before it answers is logged, its metrics (EMF) too.

    ministack waits for 5 ms without a further line, so on a busy machine it leaves lines to the next invocation, if
    there is one. Here it writes a mark behind the function's lines, into the same pipe, and reads up to the mark.
    """
    drain = ProvidedWorker._drain_stderr_bounded

    def drained(worker: Any, *waits: float, **named: float) -> str:
        mark = uuid.uuid4().hex
        try:
            with Path(f"/proc/{worker._proc.pid}/fd/1").open("wb", buffering=0) as output:
                output.write(f"{mark}\n".encode())
        except (OSError, AttributeError):  # the process has ended, or the system has no /proc
            text: str = drain(worker, *waits, **named)
            return text
        return "\n".join(_lines_before(mark, worker._stderr_queue))

    ProvidedWorker._drain_stderr_bounded = drained


def _lines_before(mark: str, written: "queue.Queue[str]") -> list[str]:
    lines: list[str] = []
    deadline = time.monotonic() + SECONDS_TO_READ_A_LOG
    while not lines or not lines[-1].endswith(mark):
        try:
            lines.append(written.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            return lines
    # The function's last line may lack its end.
    unfinished = lines.pop().removesuffix(mark)
    return [*lines, unfinished] if unfinished else lines
