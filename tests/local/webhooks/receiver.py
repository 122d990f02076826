"""An HTTPS address on loopback that accepts and records webhooks, for tests of their senders."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.local.vendor.answer import Answer
from tests.local.vendor.server import HttpsServer, Reply, Request
from tests.local.vendor.tls import issue_certificate
from tests.local.waiting import wait_for


class WebhookReceiver:
    """`answer` returns the status of the response to a call: 200 unless a test sets another."""

    def __init__(self, folder: Path, path: str = "/song-1/0123abcd") -> None:
        self.ca_bundle: Final = folder / "receiver-ca.pem"
        self.answer: Callable[[Request], int] = lambda _: 200
        self.received: Final[list[Request]] = []
        self._server = HttpsServer(0, issue_certificate(self.ca_bundle), self._respond)
        self.port: Final = self._server.port
        self.url: Final = f"https://localhost:{self.port}{path}"

    def __enter__(self) -> Self:
        self.accept_connections()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def accept_connections(self) -> None:
        self._server.accept_connections()

    def refuse_connections(self) -> None:
        self._server.refuse_connections()

    def answer_with(self, *statuses: int) -> None:
        """Responds with these statuses, one for each call, and then with 200."""
        left = deque(statuses)
        self.answer = lambda _: left.popleft() if left else 200

    def wait_for(self, count: int) -> list[Request]:
        """All received calls, once there are `count` of them."""
        return wait_for(lambda: self.received if len(self.received) >= count else None, f"{count} webhooks", seconds=30)

    def _respond(self, request: Request) -> Reply:
        status = self.answer(request)
        self.received.append(request)
        return Reply(Answer(status, b""))
