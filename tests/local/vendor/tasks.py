"""The tasks of the stand-in: each runs for its time, ends as planned, and is polled meanwhile."""

import itertools
import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final, assert_never

from tests.local.vendor.answer import Answer, Generation
from tests.local.vendor.clip import finished_clip, streaming_clip
from tests.local.vendor.poll import Clips, failed, in_state, no_such_task, running, succeeded
from tests.local.vendor.record import Create
from tests.local.vendor.server import Reply
from tests.local.vendor.story import (
    AnyStatus,
    ClipsWithoutLink,
    Fails,
    NeverEnds,
    PollReply,
    StreamingClips,
    Succeeds,
    TaskStory,
    Truth,
    UnknownTask,
)


@dataclass(slots=True)
class Task:
    """A running or ended task; `ends_at` is on the clock of `time.monotonic()`, infinite if the task never ends."""

    create: Create
    story: TaskStory
    number: int
    ends_at: float
    _replies: deque[PollReply] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _polls_while_running: int = field(default=0, init=False)
    _polls_without_data: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._replies = deque(self.story.first_polls)

    @property
    def will_end(self) -> bool:
        return not isinstance(self.story.ending, NeverEnds)

    def end_now(self) -> None:
        """Ends the task before its time, unless it never ends."""
        if self.will_end:
            self.ends_at = min(self.ends_at, time.monotonic())

    def clips(self) -> Clips:
        """The clips of the song; none if the task never succeeds."""
        match self.story.ending:
            case Succeeds(clips=count, fields=fields):
                return [finished_clip(self.create, self.number, index, fields) for index in range(count)]
            case _:
                return []

    def reply(self, generation: Generation) -> Reply:
        with self._lock:
            if time.monotonic() < self.create.at + self.story.unknown_seconds:
                return Reply(no_such_task(generation))
            planned = self._replies.popleft() if self._replies else self.story.every_poll
            return Reply(self._answer(planned, generation), planned.delivery)

    def _answer(self, planned: PollReply, generation: Generation) -> Answer:
        match planned.content:
            case Answer() as answer:
                return answer
            case UnknownTask():
                return no_such_task(generation)
            case AnyStatus(status):
                return in_state(self.create, generation, status)
            case StreamingClips(finished):
                clips = self.clips()
                streams = [streaming_clip(self.create, index) for index in range(finished, len(clips))]
                return succeeded([*clips[:finished], *streams], generation)
            case ClipsWithoutLink(link):
                no_link = {"audio_url": link, "wav_url": link}
                return succeeded([{**clip, **no_link} for clip in self.clips()], generation)
            case Truth():
                return self._truth(generation)
            case unreachable:
                assert_never(unreachable)

    def _truth(self, generation: Generation) -> Answer:
        if time.monotonic() < self.ends_at:
            self._polls_while_running += 1
            return running(self.create, generation, self._polls_while_running - 1)
        match self.story.ending:
            case Succeeds(polls_without_data=empty) if self._polls_without_data < empty:
                self._polls_without_data += 1
                return succeeded([], generation)
            case Succeeds():
                return succeeded(self.clips(), generation)
            case Fails() as ending:
                return failed(self.create, ending, generation)
            case NeverEnds():
                raise AssertionError("a task that never ends has reached its end")
            case unreachable:
                assert_never(unreachable)


class VendorTasks:
    """Every task since the last reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self._tasks: dict[str, Task] = {}
            self._numbers = itertools.count()

    def begin(self, create: Create, story: TaskStory, seconds: float) -> Task:
        """Starts the task of a create. It runs for `seconds` unless its story has another duration."""
        duration = seconds if story.seconds is None else story.seconds
        ends_at = math.inf if isinstance(story.ending, NeverEnds) else time.monotonic() + duration
        with self._lock:
            task = Task(create, story, next(self._numbers), ends_at)
            self._tasks[create.task_id] = task
        return task

    def reply(self, task_id: str, generation: Generation | None) -> Reply:
        """The answer to a poll in the shape of that generation; None: each task has one, and they take turns."""
        with self._lock:
            task = self._tasks.get(task_id)
        if task is None:
            return Reply(no_such_task(generation or Generation.NEWER))
        in_turn = _GENERATIONS[task.number % len(_GENERATIONS)]
        return task.reply(task.story.generation or generation or in_turn)


_GENERATIONS: Final = tuple(Generation)
