"""The function processes: a Runtime API without the delay of Nagle's algorithm, and starts that take turns."""

import os
import queue
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

from ministack.core.lambda_runtime import ProvidedWorker

# Starting a function takes half a second of a processor.
STARTS_AT_ONCE = os.cpu_count() or 1


def mend() -> None:
    _answer_in_one_packet()
    _start_in_turns()


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
