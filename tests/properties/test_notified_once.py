"""Dead letter, event and callback: each fails for a while or for good, in every combination, and each is sent once.

A failure of one never repeats another. What is refused for good counts as sent, except a dead letter: its message stays
in its queue until SQS moves it.
"""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from song_intake.contract.sqs_message import REASON
from song_intake.ledger.task_tokens import MOST_TASK_TOKENS
from song_intake.music_api.answer import Answer
from tests.properties.simulation.faults import Fault, Step
from tests.properties.simulation.following_functions import SHIPPED
from tests.properties.simulation.following_world import FollowingWorld, Running, Scene
from tests.properties.simulation.queues import Sent
from tests.properties.simulation.stories import FAILED, RUNNING, SUCCESS, UNKNOWN
from tests.properties.simulation.webhooks import Courier

FOR_GOOD: Final = 1_000_000
FAILURES: Final = (0, 1, 9, FOR_GOOD)  # 9: longer than the receives after which a message is sent anew
NOTIFYING: Final = (Step.LETTER, Step.EVENT, Step.CALLBACK)
SONG: Final = {"request_id": "song-1", "title": "Kettle in the Morning", "sound": "simulated"}


class MovingWorld(FollowingWorld):
    """SQS moves a message after its last receive."""

    def next(self) -> Running | None:
        for message in list(self.scene.requests.requests):
            if message.receive_count >= self.scene.requests.max_receive_count:
                assert self.scene.requests.receive(message, self.now) is None
        return super().next()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Messages, each sent once nothing comes any more from the one before, and what must be heard of them."""

    name: str
    bodies: tuple[Mapping[str, object], ...]
    words: tuple[Answer, ...] = (SUCCESS,)
    create: Fault | None = None
    events: tuple[str, ...]
    letters: tuple[str, ...] = ()
    errors: tuple[str | None, ...]
    """The error of each task by the number of its token; None for a success."""


def token(number: int, **fields: object) -> dict[str, object]:
    return {**SONG, "task_token": f"token-{number}", **fields}


ENDED: Final = ("Song Submitted", "Song Succeeded")
CASES: Final = (
    Case(name="succeeded", bodies=(token(0),), events=ENDED, errors=(None,)),
    Case(
        name="failed",
        bodies=(token(0),),
        words=(FAILED,),
        events=("Song Submitted", "Song Failed"),
        errors=("FAILED_BY_VENDOR",),
    ),
    Case(
        name="rejected",
        bodies=(token(0),),
        create=Fault.REFUSED,
        events=("Song Rejected",),
        letters=("REFUSED",),
        errors=("REFUSED",),
    ),
    Case(
        name="invalid",
        bodies=(token(0, sond="a typo"),),
        events=("Message Rejected",),
        letters=("INVALID_REQUEST",),
        errors=("INVALID_REQUEST",),
    ),
    Case(
        name="a token after the end, then another song under its id",
        bodies=(token(0), token(1), token(2, sound="another")),
        events=(*ENDED, "Message Rejected"),
        letters=("REQUEST_ID_REUSED",),
        errors=(None, None, "REQUEST_ID_REUSED"),
    ),
)


def told(case: Case, failures: Mapping[Step, int]) -> tuple[MovingWorld, Counter[Step]]:
    """The world after the case, and how often each step was tried. Each fails that often first."""
    tried = Counter[Step]()

    def decide(step: Step) -> Fault | None:
        tried[step] += 1
        if tried[step] <= failures.get(step, 0):
            return Fault.FORBIDDEN if failures[step] == FOR_GOOD else Fault.NOT_TAKEN
        return case.create if step is Step.CREATE else None

    world = MovingWorld(Scene(Courier(repeats=True)), SHIPPED, decide)
    world.scene.vendor.words = list(case.words)
    with world.clock():
        for number, body in enumerate(case.bodies):
            sent = Sent(f"message {number}", "song-1", str(body["title"]))
            world.scene.requests.send(sent, json.dumps(body), now=world.now)
            _until_nothing_comes(world, decide)
    return world, tried


def _until_nothing_comes(world: MovingWorld, decide: Callable[[Step], Fault | None]) -> None:
    while (running := world.next()) is not None:
        while (step := running.at) is not None:
            world.resume(running, decide(step))


@pytest.mark.parametrize("failures", list(itertools.product(FAILURES, repeat=3)), ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_consumer_is_notified_of_each_fact_once(case: Case, failures: tuple[int, ...]) -> None:
    of_steps = dict(zip(NOTIFYING, failures, strict=True))
    world, tried = told(case, of_steps)
    scene = world.scene
    assert scene.requests.requests == []

    published = Counter(event.kind for event in scene.bus.events)
    assert published == Counter(() if of_steps[Step.EVENT] == FOR_GOOD else case.events)
    if of_steps[Step.EVENT] == FOR_GOOD:
        assert tried[Step.EVENT] == len(case.events), "a refusal for good is not repeated"

    letters = [letter.attribute(REASON) for letter in scene.requests.dead_letters]
    is_moved = of_steps[Step.LETTER] == FOR_GOOD
    assert letters == ([None] * len(case.letters) if is_moved else list(case.letters))

    is_bare = of_steps[Step.CALLBACK] == FOR_GOOD
    errors = {f"token-{number}": None if is_bare else error for number, error in enumerate(case.errors)}
    assert {name: answer.error for name, answer in scene.workflows.answers.items()} == errors
    assert scene.workflows.repeats == []
    if is_bare:
        assert tried[Step.CALLBACK] == 2 * len(errors), "once with its data, and once without"
    assert not any("task_tokens" in item for item in scene.table.items.values()), "none waits on a row"


@pytest.mark.parametrize("body", [SONG, token(0)], ids=["without a token", "with a token"])
def test_without_a_failure_remembering_costs_no_write(body: Mapping[str, object]) -> None:
    _, tried = told(Case(name="calm", bodies=(body,), events=(), errors=()), {})
    assert (tried[Step.STATEMENTS], tried[Step.READ]) == (2, 0), "the claim and the task"
    assert tried[Step.WRITE] == 2, "the end, and that it is published and answered"


@pytest.mark.parametrize("failures", list(itertools.product((0, 1, 9), FAILURES)), ids=str)
def test_a_song_that_is_given_up_is_reported_once(failures: tuple[int, int]) -> None:
    case = Case(name="given up", bodies=(SONG,), words=(UNKNOWN,), events=(), errors=())
    # The first event is Song Submitted.
    of_steps = dict(zip((Step.LETTER, Step.EVENT), failures, strict=True))
    world, _ = told(case, of_steps)
    letters = [letter.attribute(REASON) for letter in world.scene.checks.dead_letters]
    assert letters == ["TASK_UNKNOWN"]
    published = Counter(event.kind for event in world.scene.bus.events)
    expected = () if of_steps[Step.EVENT] == FOR_GOOD else ("Song Submitted", "Song In Doubt")
    assert published == Counter(expected)


def test_the_tasks_of_all_messages_are_answered_and_those_beyond_the_limit_at_once() -> None:
    waiting: list[str] = []
    case = Case(name="many", bodies=(token(0),), words=(RUNNING,) * 3 + (SUCCESS,), events=(), errors=())

    def decide(step: Step) -> Fault | None:
        return None

    world = MovingWorld(Scene(Courier(repeats=True)), SHIPPED, decide)
    world.scene.vendor.words = list(case.words)
    with world.clock():
        for number in range(MOST_TASK_TOKENS + 2):
            message = world.scene.requests.send(
                Sent(str(number), "song-1", SONG["title"]), json.dumps(token(number)), now=world.now
            )
            running = world.submit(message)
            while running.at is not None:
                world.resume(running)
        refused = {name: answer.error for name, answer in world.scene.workflows.answers.items()}
        waiting = [f"token-{number}" for number in range(MOST_TASK_TOKENS)]
        _until_nothing_comes(world, decide)
    assert refused == {f"token-{MOST_TASK_TOKENS + more}": "TOO_MANY_TASK_TOKENS" for more in (0, 1)}
    answers = world.scene.workflows.answers
    assert {name: answers[name].error for name in waiting} == dict.fromkeys(waiting)
    assert world.scene.workflows.repeats == []
    assert [event.kind for event in world.scene.bus.events].count("Song Succeeded") == 1
