"""A stand-in of the AI Music API: a real HTTPS server on loopback that keeps the vendor's rules.

    with MusicVendor(folder, tokens=["token"]) as vendor:
        vendor.plan("Night Train", rate_limited(), cut("body", creates=True))
        ...
        vendor.wait_for(lambda: vendor.creates_of("Night Train"), timeout=5)

It makes no music. It keeps count of the creates that it took and charged, whatever it answered to them.
"""

import itertools
import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.local.vendor_answer import (
    CREDITS_USED_UP,
    INSUFFICIENT_CREDITS,
    NOT_FOUND,
    UNAUTHORIZED,
    Answer,
    Generation,
    VendorError,
    created,
    json_answer,
)
from tests.local.vendor_behaviour import Behaviour, usual
from tests.local.vendor_record import CREATE_PATH, Create, VendorRecord, title_of
from tests.local.vendor_rules import check_create
from tests.local.vendor_server import HOST, HttpsServer, Reply, Request
from tests.local.vendor_tls import issue_certificate

CREDITS_PATH: Final = "/api/v1/get-credits"
CREDITS_A_SONG: Final = 10
PLENTY_OF_CREDITS: Final = 1_000_000

Hook = Callable[[Request], None]


class HookError(Exception):
    """A callback given to `on_create` raised. The client of that request sees its connection end."""


class MusicVendor(VendorRecord):
    """The stand-in, serving from entering the context to leaving it, and the record of what it took.

    May be changed while it runs: `tokens`; `credits`; `latency`, the seconds from a song to its answer, or a callable
    that gives them; `generation`, the shape of its answers (None: the two take turns).
    """

    def __init__(self, folder: Path, *, port: int = 0, tokens: Iterable[str] = ()) -> None:
        """Takes the port, and writes the authority to trust into `folder`; OSError if the port is another's."""
        super().__init__()
        self.ca_bundle: Final = folder / "music-vendor-ca.pem"
        self._server = HttpsServer(port, issue_certificate(self.ca_bundle), self._respond)
        self.origin: Final = f"https://{HOST}:{self._server.port}"
        self.tokens: Final = set(tokens)
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Healthy again and with no memory; tokens stay. A request under way ends as it began."""
        self.clear()
        with self._lock:
            self.credits = PLENTY_OF_CREDITS
            self.latency: float | Callable[[], float] = 0.0
            self.generation: Generation | None = None
            self._turns = itertools.cycle(Generation)
            self._plans: defaultdict[str | None, deque[Behaviour]] = defaultdict(deque)
            self._plan_for_all: Behaviour | None = None
            self._hooks: defaultdict[str | None, deque[Hook]] = defaultdict(deque)

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
        """From now on a connect is refused, on the same port, until `accept_connections`. Open connections live on."""
        self._server.refuse_connections()

    def plan(self, title: str | None, *behaviours: Behaviour) -> None:
        """What becomes of the next creates of that title, one after another; then they are as usual again.

        A request that the vendor refuses by its own rules (token, fields) uses up none. None: those without a title.
        """
        with self._lock:
            self._plans[title].extend(behaviours)

    def plan_all(self, behaviour: Behaviour | None) -> None:
        """What becomes of every create that has no plan of its own; None: as usual."""
        with self._lock:
            self._plan_for_all = behaviour

    def on_create(self, title: str | None, hook: Hook) -> None:
        """Calls `hook` once, while the next create of that title is handled; of several hooks each takes one create.

        At that moment the request has been read, the song is made (if the behaviour makes one), and nothing is
        answered: a client that dies now leaves the vendor charged. The answer waits until the hook returns.
        """
        with self._lock:
            self._hooks[title].append(hook)

    def _respond(self, request: Request) -> Reply:
        self.add_request(request)
        match request.method, request.path:
            case "POST", path if path == CREATE_PATH:
                return self._respond_to_create(request)
            case "GET", path if path == CREDITS_PATH:
                return self._respond_with_credits(request)
            case _:
                return self._refuse(NOT_FOUND)

    def _respond_to_create(self, request: Request) -> Reply:
        token = self._known_token(request)
        if token is None:
            return self._refuse(UNAUTHORIZED)
        body = check_create(request.body)
        if isinstance(body, VendorError):
            return self._refuse(body)
        create = Create(str(uuid.uuid4()), title_of(body), body, token, request.at)
        behaviour = self._next_behaviour(create.title)
        if behaviour.creates:
            if not self._take_credits():
                return self._refuse_for_credits()
            self.add_create(create)
        self._call_hook(create.title, request)
        self._server.pause(behaviour.delay + (self.latency() if callable(self.latency) else self.latency))
        return Reply(self._answer(behaviour, create), behaviour.delivery, lambda: self.mark_answered(create))

    def _respond_with_credits(self, request: Request) -> Reply:
        if self._known_token(request) is None:
            return self._refuse(UNAUTHORIZED)
        return Reply(json_answer({"credits": self.credits, "extra_credits": 0}))

    def _known_token(self, request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return token if scheme == "Bearer" and token in self.tokens else None

    def _next_behaviour(self, title: str | None) -> Behaviour:
        with self._lock:
            planned = self._plans[title]
            if planned:
                return planned.popleft()
            return self._plan_for_all or usual()

    def _take_credits(self) -> bool:
        with self._lock:
            if self.credits < CREDITS_A_SONG:
                return False
            self.credits -= CREDITS_A_SONG
            return True

    def _call_hook(self, title: str | None, request: Request) -> None:
        with self._lock:
            hooks = self._hooks[title]
            hook = hooks.popleft() if hooks else None
        if hook is None:
            return
        try:
            hook(request)
        except Exception as error:
            # As itself, an OSError of the hook would pass for a client that vanished, in silence.
            raise HookError(f"the hook of the create {title!r}") from error

    def _answer(self, behaviour: Behaviour, create: Create) -> Answer:
        if isinstance(behaviour.answer, Answer):
            return behaviour.answer
        generation = behaviour.answer.generation or self._next_generation()
        return created(create.task_id, generation, behaviour.answer.padding)

    def _refuse(self, error: VendorError) -> Reply:
        return Reply(error.answer(self._next_generation()))

    def _refuse_for_credits(self) -> Reply:
        generation = self._next_generation()
        error = CREDITS_USED_UP if generation is Generation.OLDER else INSUFFICIENT_CREDITS
        return Reply(error.answer(generation))

    def _next_generation(self) -> Generation:
        with self._lock:
            return self.generation or next(self._turns)
