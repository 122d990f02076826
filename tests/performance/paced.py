"""Many workers and a vendor with a rate limit, in virtual time: the used share of the rate, and the number of 429s.

Real: Submission, the pacer with its threads, and the ledger. Simulated: the clocks, the queue, the AWS clients, and the
vendor (see paced_surroundings).
"""

import json
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from song_intake.admission.pace import SECONDS_A_MINUTE, Pace
from song_intake.admission.pace_item import PACE_KEY, PaceItem
from song_intake.admission.pacer import Pacer, SharedPacer
from song_intake.app.submit import submit_song
from song_intake.contract.song_request import SongRequest
from song_intake.contract.sqs_message import Message
from song_intake.domain.decision import DeadLetter, RetryIn, SendAnew
from song_intake.music_api.answer import Answer
from song_intake.work.request_work import RequestWork
from song_intake.work.submission import Submission
from tests.performance.paced_surroundings import (
    AcceptingBus,
    Closure,
    Database,
    KnownSecrets,
    PacedMusicApi,
    Seconds,
    Vendor,
)
from tests.performance.virtual_time import Process, VirtualTime
from tests.properties.simulation.clients import SimulatedClients, submit_settings
from tests.properties.simulation.silence import SILENT

PAID_CALL: Final = 40.0
FINAL_RECEIVE: Final = 12
CONNECT: Final[Seconds] = (0.05, 0.2)
BETWEEN_BATCHES: Final[Seconds] = (0.02, 0.3)
LONGEST: Final = 2 * 86_400.0  # seconds; a pace that gets nowhere ends here instead of never
POLL_AGAIN: Final = 0.5  # seconds, the least wait if no message is visible


NEVER: Final = Closure(math.inf, 0)


@dataclass(frozen=True, slots=True)
class Parts:
    """The classes under test. The tests of the checks put broken ones here."""

    pacer: Callable[..., Pacer] = SharedPacer
    pace_item: type[PaceItem] = PaceItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The requests and the workers. Times are in seconds, points in time in seconds from the start."""

    requests: int = 600
    duplicates: int = 0
    """Additional messages, each for a request that was sent before."""
    creates_per_minute: int = 600
    workers: int = 8
    batch_size: int = 10
    latency: Seconds = (1.0, 2.0)
    """From the arrival of a create to its response."""
    connect: Seconds = CONNECT
    slow_connect: Seconds = CONNECT
    """How long a connect takes from `connects_slowly_from` on."""
    connects_slowly_from: float = math.inf
    connect_timeout: float = 5.0
    """The workers' setting: the longest that a connect may take."""
    function_timeout: float = 240.0
    closed: Closure = NEVER
    skew: float = 0.0
    """The largest error of the workers' clocks, in either direction."""
    crashes: tuple[float, ...] = ()
    """When a worker crashes."""
    slow_until: float = 0.0
    """Until when the vendor accepts only a quarter of the rate."""
    seed: int = 1


@dataclass(slots=True)
class PacedResult:
    """The result of a run. Points in time are in seconds from the start."""

    load: Load
    created_at: list[float] = field(default_factory=list)
    creates_of: Counter[int] = field(default_factory=Counter)
    """Songs by the number of their worker."""
    refused_at: list[float] = field(default_factory=list)
    retries: Counter[str] = field(default_factory=Counter)
    """The number of retries by reason: each one raises the receive count of its message."""
    sent_anew: Counter[str] = field(default_factory=Counter)
    """The number of messages sent anew by reason: each one has a fresh receive count."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    """The number of dead letters by reason."""
    lost: int = 0
    """Messages of a worker that crashed, which stay invisible for a long time."""
    writes_of_the_pace: int = 0
    pace: Pace = field(default_factory=Pace)
    """The pace at the end, with moments in seconds since 1970."""
    slowed_at: float = 0.0
    """The first slot after the last 429."""

    @property
    def answers_429(self) -> int:
        return len(self.refused_at)

    @property
    def share_of_rate(self) -> float:
        """The number of creates, divided by the number that the rate allows until the last one.

        The time that the first connect takes does not count: no pace can use it.
        """
        seconds = max(self.created_at, default=LONGEST) - self.load.connect[0]
        return len(self.created_at) / (seconds * self.load.creates_per_minute / SECONDS_A_MINUTE)

    def share_of_slower_pace(self, grace: float = 0) -> float:
        """The creates after the last 429, divided by the slots that the pace allows from then on.

        grace: the seconds after the 429 that do not count. Nor does the last tenth of the creates: at the end of a run,
        the messages that are left may be hidden, so that slots stay free without a fault of the pace.
        """
        begin = max(0.0, self.slowed_at) + grace
        created = sorted(moment for moment in self.created_at if moment >= begin)
        counted = created[: math.ceil(0.9 * len(created))]
        allowed, at = 0, begin
        while at <= counted[-1]:
            allowed += 1
            slowness = self.pace.slowness(self.pace.slow_from + at - self.slowed_at)
            at += SECONDS_A_MINUTE / self.load.creates_per_minute * slowness
        return len(counted) / allowed

    @property
    def oldest_age(self) -> float:
        """All requests are sent at the start, so the one created last has waited longest."""
        return max(self.created_at)


def run_paced(load: Load | None = None, parts: Parts | None = None) -> PacedResult:
    return _World(load or Load(), parts or Parts()).run()


class _World:
    """One queue, its workers, and the services around them."""

    def __init__(self, load: Load, parts: Parts) -> None:
        self.load = load
        self.parts = parts
        self.random = random.Random(load.seed)  # noqa: S311 - spreads times, guards nothing
        self.time = VirtualTime(now=1_700_000_000.0)
        self.began = self.time.now
        self.database = Database(self.pause)
        self.vendor = Vendor(60 / load.creates_per_minute)
        self.result = PacedResult(load)
        self.queue = [(0.0, message) for message in self._messages()]
        """Each message with the time when it becomes visible."""
        self.open = len(self.queue)
        self.workers = [self._worker(number) for number in range(load.workers)]

    def run(self) -> PacedResult:
        with self.time.clock():
            for worker in self.workers:
                self.time.start(worker.process, worker.work)
            for moment in self.load.crashes:
                self.time.start(Process(), lambda moment=moment: self._crash_at(moment))  # type: ignore[misc]
            self.time.run()
            self.result.writes_of_the_pace = self.database.writes[PACE_KEY]
            self.time.start(Process(), self._read_pace)
            self.time.run()
        return self.result

    def _read_pace(self) -> None:
        self.result.pace = PaceItem(self.database.client, "ledger").change(lambda pace: (pace, pace))
        self.result.slowed_at = self.result.pace.slow_from - self.began

    def now(self) -> float:
        return self.time.now - self.began

    def pause(self, bounds: Seconds) -> None:
        self.time.sleep(self.random.uniform(*bounds))

    def receive(self) -> list[Message]:
        """Up to one batch of visible messages."""
        visible = [entry for entry in self.queue if entry[0] <= self.now()][: self.load.batch_size]
        for entry in visible:
            self.queue.remove(entry)
        return [message for _, message in visible]

    def next_visible(self) -> float:
        return min((at for at, _ in self.queue), default=0.0)

    def connecting(self) -> Seconds:
        return self.load.slow_connect if self.now() >= self.load.connects_slowly_from else self.load.connect

    def arrived(self, worker: int) -> Answer | None:
        """A create arrives at the vendor. Returns the 429 if it is not accepted."""
        now, closed = self.now(), self.load.closed
        if closed.contains(now):
            self.result.refused_at.append(now)
            seconds = closed.retry_after(now)
            return Answer(429, b"{}", None if seconds is None else str(seconds))
        if not self.vendor.accepts(now, 4 if now < self.load.slow_until else 1):
            self.result.refused_at.append(now)
            return Answer(429, b"{}")
        self.result.created_at.append(now)
        self.result.creates_of[worker] += 1
        return None

    def _worker(self, number: int) -> "_Worker":
        return _Worker(self, number, Process(self.random.uniform(-self.load.skew, self.load.skew)))

    def _messages(self) -> list[Message]:
        messages = [_message(number) for number in range(self.load.requests)]
        for number in range(self.load.duplicates):
            place = self.random.randrange(len(messages) // 2, len(messages))
            original = messages[self.random.randrange(place)]
            messages.insert(place, replace(original, message_id=f"duplicate-{number}"))
        return messages

    def _crash_at(self, moment: float) -> None:
        """A worker crashes, and another one replaces it."""
        self.time.sleep(moment)
        number = self.random.randrange(len(self.workers))
        victim = self.workers[number]
        victim.process.has_crashed = True
        self.result.lost += len(victim.in_hand)
        self.open -= len(victim.in_hand)
        self.workers[number] = self._worker(number)
        self.time.start(self.workers[number].process, self.workers[number].work)


class _Worker:
    """An execution environment, which handles batches until no message is left."""

    def __init__(self, world: _World, number: int, process: Process) -> None:
        self.process = process
        self.in_hand: list[Message] = []
        self._world = world
        self._number = number
        self._done = world.time.condition()

    def work(self) -> None:
        self._submission = self._new_submission()
        while self._world.open and self._world.now() < LONGEST:
            self._world.pause(BETWEEN_BATCHES)
            self.in_hand = self._world.receive()
            if self.in_hand:
                self._handle(list(self.in_hand))
            else:
                self._world.time.sleep(max(POLL_AGAIN, self._world.next_visible() - self._world.now()))

    def _new_submission(self) -> Submission:
        """submit_song as the app builds it, with the pacer under test and a condition in virtual time."""
        world = self._world
        clients = SimulatedClients(dynamodb=world.database, secretsmanager=KnownSecrets(), events=AcceptingBus())
        settings = submit_settings(
            creates_per_minute=world.load.creates_per_minute,
            connect_timeout=world.load.connect_timeout,
            function_timeout=world.load.function_timeout,
            lease=world.load.function_timeout,
        )
        music_api = PacedMusicApi(
            world.pause, lambda: world.arrived(self._number), world.load.latency, world.connecting
        )
        work = submit_song(settings, clients, SILENT, music_api).work
        assert isinstance(work, RequestWork)
        pacer = world.parts.pacer(
            world.parts.pace_item(world.database.client, "ledger"),
            world.load.creates_per_minute,
            PAID_CALL,
            world.load.connect_timeout,
            world.time.condition,
        )
        return replace(work.submission, pacer=pacer)

    def _handle(self, messages: list[Message]) -> None:
        """Like Batch: one thread for each message, until all of them are done."""
        world = self._world
        deadline = world.time.now + world.load.function_timeout

        def time_left() -> float:
            return deadline - (world.time.now + self.process.skew)

        self._submission.pacer.begin(time_left)
        for message in messages:
            world.time.start(self.process, lambda message=message: self._one(message, time_left))  # type: ignore[misc]
        with self._done:
            while self.in_hand:
                self._done.wait()

    def _one(self, message: Message, time_left: Callable[[], float]) -> None:
        world = self._world
        request = SongRequest.parse(message.body, message.message_id)
        decision = self._submission.decide(request, message, time_left)
        if isinstance(decision, RetryIn | SendAnew):
            is_anew = isinstance(decision, SendAnew)
            (world.result.sent_anew if is_anew else world.result.retries)[decision.reason] += 1
            count = 1 if is_anew else message.receive_count + 1
            world.queue.append((world.now() + (decision.seconds or 0), replace(message, receive_count=count)))
        else:
            if isinstance(decision, DeadLetter):
                world.result.dead_letters[decision.reason] += 1
            world.open -= 1
        with self._done:
            self.in_hand.remove(message)
            self._done.notify_all()


def _message(number: int) -> Message:
    body = json.dumps({"request_id": f"request-{number}", "sound": "slow folk"})
    return Message(f"message-{number}", "handle", body, receive_count=1, sent_at=0, attributes={})
