"""What the stand-in of the music API has seen and done, readable from any thread while it goes on."""

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
    """A song that was made and charged; `at` is `time.monotonic()` at the arrival of its request.

    `answered` says that its whole answer was handed to the network: it may have arrived.
    """

    task_id: str
    title: str | None
    body: Mapping[str, object]
    token: str
    at: float
    answered: bool = False


class VendorRecord:
    """Every request, and apart from them every song made: the truth that the real vendor hides, and tests count."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: list[Request] = []
        self._attempts: defaultdict[str | None, list[Request]] = defaultdict(list)
        self._creates: dict[str, Create] = {}
        self._webhooks: dict[str, Webhook] = {}

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request that arrived whole, to whatever path, in order of arrival."""
        with self._changed:
            return tuple(self._requests)

    @property
    def creates(self) -> tuple[Create, ...]:
        """Every song made and charged, in order."""
        with self._changed:
            return tuple(self._creates.values())

    def attempts_of(self, title: str | None) -> tuple[Request, ...]:
        """Every request to create a song of that title, whether the vendor made it or not; None: those without one."""
        with self._changed:
            return tuple(self._attempts[title])

    def creates_of(self, title: str | None) -> tuple[Create, ...]:
        """Every song made and charged under that title."""
        return tuple(create for create in self.creates if create.title == title)

    def polls_of(self, title: str | None) -> tuple[Request, ...]:
        """Every poll for a song of that title, whatever it was answered."""
        paths = {TASK_PATH + create.task_id for create in self.creates_of(title)}
        return tuple(request for request in self.requests if request.path in paths)

    @property
    def webhooks(self) -> tuple[Webhook, ...]:
        """Every webhook that left, or was refused for where it would have gone, in order. A lost one is none."""
        with self._changed:
            return tuple(self._webhooks.values())

    def webhooks_of(self, title: str | None) -> tuple[Webhook, ...]:
        return tuple(webhook for webhook in self.webhooks if webhook.title == title)

    def wait_for(self, condition: Callable[[], object], timeout: float) -> None:
        """Returns once `condition` holds, looking at it again after every request, song, answer and webhook.

        Raises TimeoutError when it does not hold within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"the music vendor did not see it happen within {timeout} s")

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
            # A record cleared in the meantime has forgotten the song, and stays so.
            if create.task_id in self._creates:
                self._creates[create.task_id] = replace(create, answered=True)
                self._changed.notify_all()

    def add_webhook(self, webhook: Webhook) -> None:
        """Also called for the later attempts of a webhook, which change nothing here."""
        with self._changed:
            if webhook.task_id in self._creates:
                self._webhooks.setdefault(webhook.webhook_id, webhook)
                self._changed.notify_all()

    def add_attempt(self, webhook_id: str, attempt: Attempt) -> bool:
        """False if the record was cleared in the meantime and has forgotten the webhook."""
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
    """The title by which behaviours are planned and songs are found: the one vendor's field that is free text here."""
    title = body.get("title") if body else None
    return title if isinstance(title, str) else None
