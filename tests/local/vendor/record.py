"""The record of the stand-in: requests, songs and webhooks. Any thread may read it at any time."""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tests.local.vendor.rules import parse_object
from tests.local.vendor.server import Request
from tests.local.vendor.webhook import Attempt, Webhook

CREATE_PATH: Final = "/api/v1/producer/create"
TASK_PATH: Final = "/api/v1/producer/task/"
"""The path of a poll, up to the task_id."""


@dataclass(frozen=True, slots=True)
class Create:
    """A song that was created and charged; `at` is `time.monotonic()` at the arrival of its request.

    `answered` means that the whole answer was sent. It may have arrived.
    """

    task_id: str
    title: str | None
    body: Mapping[str, object]
    token: str
    at: float
    answered: bool = False


class VendorRecord:
    """Every request, and separately every created song: the facts that the real vendor hides and tests verify."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: list[Request] = []
        self._attempts: defaultdict[str | None, list[Request]] = defaultdict(list)
        self._creates: dict[str, Create] = {}
        self._webhooks: dict[str, Webhook] = {}

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request that arrived completely, for any path, in order of arrival."""
        with self._changed:
            return tuple(self._requests)

    @property
    def creates(self) -> tuple[Create, ...]:
        """Every song that was created and charged, in order."""
        with self._changed:
            return tuple(self._creates.values())

    def attempts_of(self, title: str | None) -> tuple[Request, ...]:
        """Every create request with that title, whether or not it created a song; None: those without a title."""
        with self._changed:
            return tuple(self._attempts[title])

    def creates_of(self, title: str | None) -> tuple[Create, ...]:
        """Every song with that title that was created and charged."""
        return tuple(create for create in self.creates if create.title == title)

    def polls_of(self, title: str | None) -> tuple[Request, ...]:
        """Every poll of a song with that title, with any answer."""
        paths = {TASK_PATH + create.task_id for create in self.creates_of(title)}
        return tuple(request for request in self.requests if request.path in paths)

    @property
    def webhooks(self) -> tuple[Webhook, ...]:
        """Every webhook that was sent or had a refused URL, in order. Lost webhooks are left out."""
        with self._changed:
            return tuple(self._webhooks.values())

    def webhooks_of(self, title: str | None) -> tuple[Webhook, ...]:
        return tuple(webhook for webhook in self.webhooks if webhook.title == title)

    def wait_for(self, condition: Callable[[], object], timeout: float) -> None:
        """Returns once `condition` holds. It is checked after every request, song, answer and webhook.

        Raises TimeoutError when it does not hold within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"the condition did not hold within {timeout} s")

    def add_request(self, request: Request) -> None:
        with self._changed:
            self._requests.append(request)
            if request.path == CREATE_PATH:
                self._attempts[title_of(parse_object(request.body))].append(request)
            self._changed.notify_all()

    def add_create(self, create: Create) -> None:
        with self._changed:
            self._creates[create.task_id] = create
            self._changed.notify_all()

    def mark_answered(self, create: Create) -> None:
        with self._changed:
            # A record that was cleared in the meantime has no such song, and must not get it back.
            if create.task_id in self._creates:
                self._creates[create.task_id] = replace(create, answered=True)
                self._changed.notify_all()

    def add_webhook(self, webhook: Webhook) -> None:
        """Later calls for the same webhook, one for each attempt, change nothing."""
        with self._changed:
            if webhook.task_id in self._creates:
                self._webhooks.setdefault(webhook.webhook_id, webhook)
                self._changed.notify_all()

    def add_attempt(self, webhook_id: str, attempt: Attempt) -> bool:
        """False if the record was cleared in the meantime and has no such webhook."""
        with self._changed:
            webhook = self._webhooks.get(webhook_id)
            if webhook is None:
                return False
            self._webhooks[webhook_id] = replace(webhook, attempts=(*webhook.attempts, attempt))
            self._changed.notify_all()
            return True

    def clear(self) -> None:
        with self._changed:
            self._webhooks.clear()
            self._requests.clear()
            self._attempts.clear()
            self._creates.clear()


def title_of(body: Mapping[str, object] | None) -> str | None:
    """The title, which identifies a song in plans and in the record."""
    title = body.get("title") if body else None
    return title if isinstance(title, str) else None
