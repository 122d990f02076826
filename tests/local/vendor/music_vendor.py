"""A stand-in for the AI Music API: a real HTTPS server on loopback that keeps the vendor's rules.

    with MusicVendor(folder, tokens=["token"]) as vendor:
        vendor.plan("Night Train", rate_limited(), cut("body", creates=True))
        vendor.plan_task("Night Train", fails(refunded=True).after(unknown_task()))
        vendor.plan_webhook("Night Train", doubled())
        ...
        vendor.wait_for(lambda: vendor.webhooks_of("Night Train"), timeout=5)

It creates no music. It records the creates that it accepted and charged, whatever it answered, and tracks each task to
its end: polls and webhooks report the end.
"""

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Final, Self, assert_never

import trustme

from tests.local.vendor.answer import (
    CREDITS_USED_UP,
    INSUFFICIENT_CREDITS,
    NOT_FOUND,
    UNAUTHORIZED,
    Answer,
    Generation,
    TaskIdForm,
    VendorError,
    created,
    json_answer,
)
from tests.local.vendor.behaviour import Behaviour, UsualAnswer
from tests.local.vendor.courier import RETRY_DELAYS, WebhookCourier
from tests.local.vendor.gateway import Route
from tests.local.vendor.oddity import Oddity
from tests.local.vendor.record import CREATE_PATH, TASK_PATH, Create, VendorRecord, title_of
from tests.local.vendor.recordings import recording_host, routes_to
from tests.local.vendor.rules import check_create
from tests.local.vendor.script import VendorScript
from tests.local.vendor.server import HOST, HttpsServer, Reply, Request
from tests.local.vendor.story import Fails, TaskStory
from tests.local.vendor.tasks import VendorTasks
from tests.local.vendor.timetable import Timetable
from tests.local.vendor.tls import issue_certificate
from tests.local.vendor.webhook import WebhookPlan
from tests.local.webhooks.transport import SECONDS_TO_ANSWER, WebhookTransport, loopback

CREDITS_PATH: Final = "/api/v1/get-credits"
CREDITS_A_SONG: Final = 10
PLENTY_OF_CREDITS: Final = 1_000_000


class MusicVendor(VendorScript, VendorRecord):
    """The stand-in with its record. It serves inside its context.

    These may change while it runs: `tokens`; `credits`; `latency`, the seconds from a create to its answer, or a
    callable that returns them; `generation`, the shape of its answers (None: the two alternate); `task_seconds`, the
    duration of a task; `webhook_transport`, which maps a webhook's URL to its destination; `webhook_retry_delays`, the
    seconds before each further attempt of a webhook that was not accepted; `webhook_turn`, which is entered for each
    attempt.
    """

    def __init__(self, folder: Path, *, port: int = 0, tokens: Iterable[str] = ()) -> None:
        """Binds the port, and writes the authority to trust to `folder`. Raises OSError if the port is in use."""
        VendorScript.__init__(self)
        VendorRecord.__init__(self)
        self.ca_bundle: Final = folder / "music-vendor-ca.pem"
        authority = trustme.CA()
        self._server = HttpsServer(port, issue_certificate(self.ca_bundle, authority), self._respond)
        self.recordings: Final = recording_host(authority)
        self.origin: Final = f"https://{HOST}:{self._server.port}"
        self.tokens: Final = set(tokens)
        self.webhook_transport: WebhookTransport = loopback()
        self.webhook_turn: AbstractContextManager[object] = nullcontext()
        self._tasks: Final = VendorTasks()
        self._timetable: Final = Timetable()
        self._courier: Final = WebhookCourier(self, self._timetable, settings=self)
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Removes all plans and the record; tokens and transport stay. Running requests are not affected."""
        self.recordings.answers.clear()
        self.recordings.received.clear()
        self._timetable.clear()
        self._courier.clear()
        self._tasks.clear()
        self.clear()
        self.forget_plans()
        with self._lock:
            self.task_seconds = 0.0
            self.webhook_retry_delays: Sequence[float] = RETRY_DELAYS
            self.credits = PLENTY_OF_CREDITS
            self.latency: float | Callable[[], float] = 0.0
            self.generation: Generation | None = None
            self._turns = itertools.cycle(Generation)

    @property
    def trust(self) -> dict[str, str]:
        """The environment with which the functions of a local cloud trust and find the stand-in."""
        return {"SSL_CERT_FILE": str(self.ca_bundle), **routes_to(self.recordings)}

    def __enter__(self) -> Self:
        self.accept_connections()
        self.recordings.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.recordings.__exit__(kind, error, trace)
        self._server.close()
        # A webhook that is being sent may wait that long for its receiver.
        self._timetable.close(within=SECONDS_TO_ANSWER + 1)

    def accept_connections(self) -> None:
        self._server.accept_connections()

    def refuse_connections(self) -> None:
        """Refuses new connections on the same port until `accept_connections`. Open connections stay."""
        self._server.refuse_connections()

    def release_webhooks(self, title: str | None) -> None:
        """Releases the held webhooks of all tasks so far with that title, ended or not."""
        self._courier.release(title)

    def _respond(self, request: Request) -> Reply:
        self.add_request(request)
        route = _route_of(request)
        page = self._gateway.answer(route)
        if page is not None:
            return Reply(page)
        match route:
            case Route.CREATE:
                return self._respond_to_create(request)
            case Route.CREDITS:
                return self._respond_with_credits(request)
            case Route.POLL:
                return self._respond_to_poll(request)
            case Route.OTHER:
                return self._refuse(NOT_FOUND)
            case unreachable:
                assert_never(unreachable)

    def _respond_to_create(self, request: Request) -> Reply:
        token = self._known_token(request)
        if token is None:
            return self._refuse(UNAUTHORIZED)
        body = check_create(request.body)
        if isinstance(body, VendorError):
            return self._refuse(body)
        title = title_of(body)
        behaviour = self._behaviours.pop(title)
        if behaviour.creates and not self._charge():
            return self._refuse_for_credits()
        webhook_plan = self._webhook_plans.pop(title) if behaviour.creates else WebhookPlan()
        create = Create(_new_task_id(behaviour, webhook_plan), title, body, token, request.at)
        if behaviour.creates:
            self._begin(create, webhook_plan)
        self.call_hook(create.title, request)
        self._courier.before_the_answer(create.task_id)
        self._server.pause(behaviour.delay + (self.latency() if callable(self.latency) else self.latency))
        return Reply(
            self._answer(behaviour, create),
            behaviour.delivery,
            delivered=lambda: self.mark_answered(create),
            over=lambda: self._courier.after_the_answer(create.task_id),
        )

    def add_task(self, task_id: str) -> None:
        """A song with this id whose create is not in the record."""
        self._tasks.begin(Create(task_id, None, {}, "", time.monotonic()), TaskStory(), self.task_seconds)

    def _begin(self, create: Create, webhook_plan: WebhookPlan) -> None:
        task = self._tasks.begin(create, self._stories.pop(create.title), self.task_seconds)
        self._courier.accept(task, webhook_plan)
        # As the last step, so that every song in the record has its task, and its webhook can be released.
        self.add_create(create)
        match task.story.ending:
            case Fails(refunded=True):
                self._timetable.add(task.ends_at, self._refund)

    def _respond_to_poll(self, request: Request) -> Reply:
        if self._known_token(request) is None:
            return self._refuse(UNAUTHORIZED)
        return self._tasks.reply(request.path.removeprefix(TASK_PATH), self.generation)

    def _respond_with_credits(self, request: Request) -> Reply:
        if self._known_token(request) is None:
            return self._refuse(UNAUTHORIZED)
        return Reply(json_answer({"credits": self.credits, "extra_credits": 0}))

    def _known_token(self, request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return token if scheme == "Bearer" and token in self.tokens else None

    def _charge(self) -> bool:
        with self._lock:
            if self.credits < CREDITS_A_SONG:
                return False
            self.credits -= CREDITS_A_SONG
            return True

    def _refund(self) -> None:
        with self._lock:
            self.credits += CREDITS_A_SONG

    def _answer(self, behaviour: Behaviour, create: Create) -> Answer:
        if isinstance(behaviour.answer, Answer):
            return behaviour.answer
        generation = behaviour.answer.generation or self._next_generation()
        return created(create.task_id, generation, behaviour.answer.padding, behaviour.answer.form)

    def _refuse(self, error: VendorError) -> Reply:
        return Reply(error.answer(self._next_generation()))

    def _refuse_for_credits(self) -> Reply:
        generation = self._next_generation()
        error = CREDITS_USED_UP if generation is Generation.OLDER else INSUFFICIENT_CREDITS
        return Reply(error.answer(generation))

    def _next_generation(self) -> Generation:
        with self._lock:
            return self.generation or next(self._turns)


def _route_of(request: Request) -> Route:
    match request.method, request.path:
        case "POST", path if path == CREATE_PATH:
            return Route.CREATE
        case "GET", path if path == CREDITS_PATH:
            return Route.CREDITS
        case "GET", path if path.startswith(TASK_PATH):
            return Route.POLL
        case _:
            return Route.OTHER


def _new_task_id(behaviour: Behaviour, webhook_plan: WebhookPlan) -> str:
    """A UUID, or digits if the answer or the webhook has the id as an integer."""
    new = uuid.uuid4()
    is_integer = isinstance(behaviour.answer, UsualAnswer) and behaviour.answer.form is TaskIdForm.INTEGER
    return str(new.int % 10**12) if is_integer or Oddity.INTEGER_TASK_ID in webhook_plan.oddities else str(new)
