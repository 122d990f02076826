"""The AWS services of the local cloud behind a server that answers late: slow, but not dead."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.local.cloud.cloud import HOST, Cloud

REFUSAL = b'{"__type": "ValidationException", "message": "refused"}'
OUTAGE = b'{"__type": "InternalServerError", "message": "try again"}'


@dataclass(frozen=True, slots=True)
class Plan:
    """How the calls of one operation are answered, each answer `seconds` after its request.

    statuses: one for each attempt, the last one for all later attempts. 200: the answer of the local cloud.
    """

    seconds: float
    statuses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """`ended` is a time of the monotonic clock."""

    operation: str
    status: int
    ended: float


@dataclass(slots=True)
class SlowServices:
    """An endpoint for every service. An operation without a plan is answered at once."""

    origin: str
    plans: Mapping[str, Plan] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)

    def slow_down(self, plans: Mapping[str, Plan]) -> None:
        """Forget the earlier attempts, and answer the following ones as planned."""
        self.attempts = []
        self.plans = plans

    def statuses_of(self, operation: str) -> list[int]:
        return [attempt.status for attempt in self.attempts if attempt.operation == operation]


@contextmanager
def slow_services(cloud: Cloud) -> Iterator[SlowServices]:
    server = ThreadingHTTPServer((HOST, 0), BaseHTTPRequestHandler)
    services = SlowServices(f"http://{HOST}:{server.server_port}")
    server.RequestHandlerClass = _handler(cloud, services)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield services
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(cloud: Cloud, services: SlowServices) -> type[BaseHTTPRequestHandler]:
    forward = _forwarding(cloud)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            began = time.monotonic()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            plan = services.plans.get(operation)
            planned = _status(plan, len(services.statuses_of(operation))) if plan else HTTPStatus.OK
            status, answer = forward(dict(self.headers), body) if planned == HTTPStatus.OK else _error(planned)
            if plan:
                time.sleep(max(began + plan.seconds - time.monotonic(), 0))
            services.attempts.append(Attempt(operation, status, time.monotonic()))
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _status(plan: Plan, attempt: int) -> int:
    return plan.statuses[min(attempt, len(plan.statuses) - 1)]


def _error(status: int) -> tuple[int, bytes]:
    return status, OUTAGE if status >= HTTPStatus.INTERNAL_SERVER_ERROR else REFUSAL


def _forwarding(cloud: Cloud) -> Callable[[Mapping[str, str], bytes], tuple[int, bytes]]:
    tls = ssl.create_default_context(cafile=cloud.ca_bundle)

    def forward(headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(HOST, cloud.port, context=tls, timeout=30)
        try:
            connection.request("POST", "/", body, {**headers, "Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    return forward
