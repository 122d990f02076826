"""Function processes that are frozen between invocations.

On AWS: "Lambda freezes the execution environment when the runtime and each extension have completed and there are no
pending events." The runtime has completed when it asks for the next invocation.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

Without this, a background thread would make progress between invocations. `frozen_runtime` adds the clock.
"""

import queue
import signal
import subprocess
from http.server import BaseHTTPRequestHandler
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import ProvidedWorker


def mend() -> None:
    """Freeze a process that asks for an event while there is none. Thaw it for its event, and to end it."""
    build = ProvidedWorker._build_handler_class

    def build_freezing(worker: Any, generation: int, pending: "queue.Queue[object]") -> type[BaseHTTPRequestHandler]:
        handler: type[BaseHTTPRequestHandler] = build(worker, generation, _Events(worker, pending))
        return handler

    ProvidedWorker._build_handler_class = build_freezing

    ask_to_exit = lambda_runtime._signal

    def ask_to_exit_and_thaw(process: "subprocess.Popen[bytes] | None") -> None:
        # A frozen process receives SIGTERM only after it is thawed. In this order, it runs no line of code in between.
        ask_to_exit(process)
        if process is not None:
            process.send_signal(signal.SIGCONT)

    lambda_runtime._signal = ask_to_exit_and_thaw


class _Events:
    """The events for one process, as the Runtime API reads them: it waits 0.1 s for one, again and again."""

    def __init__(self, worker: Any, events: "queue.Queue[object]") -> None:
        self._worker = worker
        self._events = events
        self._frozen: subprocess.Popen[bytes] | None = None

    def get(self, timeout: float) -> object:
        if self._frozen is None and self._events.empty():
            self._freeze()
        event = self._events.get(timeout=timeout)
        self._thaw()
        return event

    def _freeze(self) -> None:
        self._frozen = self._worker._proc  # None while the worker ends its process
        if self._frozen is not None:
            self._frozen.send_signal(signal.SIGSTOP)

    def _thaw(self) -> None:
        if self._frozen is not None:
            self._frozen.send_signal(signal.SIGCONT)
            self._frozen = None
