"""The music API in memory, behind MusicApi and its Connection, and the secret with its token."""

import json
import time
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Final, Self

from song_intake.domain.outcome import Outcome, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer, TaskState
from song_intake.domain.trace import Trace
from song_intake.music_api.answer import Answer
from song_intake.music_api.client import Connection, MusicApi
from song_intake.music_api.create import outcome_of
from song_intake.music_api.poll import state_of
from tests.properties.simulation.faults import Fault, Step
from tests.properties.simulation.queues import Deliveries, QueuedMessage

SECRET_ID: Final = "simulated-secret"
TOKEN: Final = "simulated-token"


@dataclass(frozen=True, slots=True)
class Song:
    """A song that was created and charged."""

    title: str
    task_id: str


@dataclass(slots=True)
class Vendor:
    """The songs that really exist. The ledger must agree with them."""

    songs: list[Song] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    """Titles of songs that it will create after the deadline of their call."""
    answered: dict[str, Song] = field(default_factory=dict)
    """Songs whose task_id reached the caller, by the receipt handle of its delivery."""

    begun: list[tuple[QueuedMessage, float]] = field(default_factory=list)
    """The deliveries under which creates began, and when, by the clock of the function."""
    webhooks: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The webhook of each song, by title: its URL and its secret."""
    words: list[Answer] = field(default_factory=list)
    """The responses to successive polls. The last one repeats."""

    def poll(self) -> Answer:
        return self.words.pop(0) if len(self.words) > 1 else self.words[0]

    def make(self, title: str) -> Song:
        song = Song(title, f"task-{len(self.songs) + 1}")
        self.songs.append(song)
        return song

    def make_late(self, title: str) -> None:
        self.late.remove(title)
        self.make(title)

    def charged(self, titles: Set[str]) -> int:
        """How many songs with these titles were created, or will be."""
        return sum(title in titles for title in (*self.late, *(song.title for song in self.songs)))


class SimulatedMusicApi(MusicApi):
    """Opens connections to the simulated vendor."""

    def __init__(self, world: Deliveries, vendor: Vendor) -> None:
        self._world = world
        self._vendor = vendor

    def connect(self) -> Connection | Retryable:
        if self._world.before(Step.CONNECT) is Fault.NOT_TAKEN:
            return Retryable(Reason.CANNOT_CONNECT, "simulated")
        return SimulatedConnection(self._world, self._vendor)

    def within(self, _seconds: float) -> Self:
        return self

    def poll(self, task_id: str, token: str, trace: Trace | None = None) -> TaskState:
        assert token == TOKEN
        if self._world.before(Step.CONNECT) is Fault.NOT_TAKEN:
            return NoAnswer(Reason.CANNOT_CONNECT)
        match self._world.before(Step.POLL):
            case None:
                return state_of(self._vendor.poll())
            case Fault.NOT_TAKEN:
                return NoAnswer(Reason.POLL_FAILED)
            case Fault.ERROR:
                return state_of(json_answer(502, type="upstream_error"))
            case other:
                return state_of(json_answer(int(other), type="simulated"))


class SimulatedConnection(Connection):
    """One create, with the fault that the schedule chose. The real outcome_of() reads the response."""

    def __init__(self, world: Deliveries, vendor: Vendor) -> None:
        self._world = world
        self._vendor = vendor

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def create(self, body: bytes, token: str, trace: Trace | None = None) -> Outcome:
        assert token == TOKEN
        self._vendor.begun.append((self._world.being_handled(), time.time()))
        fault = self._world.before(Step.CREATE)
        request = json.loads(body)
        title = str(request["title"])
        if "webhook_url" in request:
            self._vendor.webhooks[title] = (request["webhook_url"], request["webhook_secret"])
        answer = self._answer(title, fault)
        return Unknown("simulated: no response") if answer is None else outcome_of(answer)

    def _answer(self, title: str, fault: Fault | None) -> Answer | None:
        match fault:
            case None:
                song = self._vendor.make(title)
                self._vendor.answered[self._world.being_handled().receipt_handle] = song
                return json_answer(200, code=200, task_id=song.task_id, message="success")
            case Fault.NOT_TAKEN:
                return None
            case Fault.ANSWER_LOST:
                self._vendor.make(title)
                return None
            case Fault.LATE:
                self._vendor.late.append(title)
                return None
            case Fault.ERROR_AND_SONG:
                self._vendor.make(title)
                return json_answer(502, type="upstream_error", error="simulated")
            case Fault.NO_TASK_ID:
                self._vendor.make(title)
                return json_answer(200, message="success")
            case Fault.ERROR:
                return json_answer(502, type="upstream_error", error="simulated")
            case _:
                return json_answer(int(str(fault)), type="simulated", error="simulated")


def json_answer(status: int, /, **fields: object) -> Answer:
    return Answer(status, json.dumps(fields).encode())
