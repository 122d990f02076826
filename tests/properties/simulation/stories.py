"""The stories of a song that was asked for: what begins each of them, and how it may end."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final

from song_intake.contract.hint import SignedHint
from song_intake.domain.reason import Reason
from song_intake.domain.recording import Keeping
from song_intake.domain.status import Status
from song_intake.music_api.answer import Answer
from song_intake.outgoing.checks import SongCheck
from tests.properties.simulation.faults import Fault, Step
from tests.properties.simulation.following_world import FollowingWorld
from tests.properties.simulation.queues import Sent
from tests.properties.simulation.recordings import Served
from tests.properties.simulation.vendor import json_answer

REQUEST_ID: Final = "song-1"
TASK_ID: Final = "task-1"
TASK_TOKEN: Final = "simulated-task-token"
CLIP: Final = "clip-1"
_TITLE: Final = "Kettle in the Morning"

RUNNING: Final = json_answer(200, status="RUNNING", data=[])
LINK: Final = "https://cdn.example/1.m4a"
_DONE: Final = {"clip_id": CLIP, "duration": "183.5", "state": "succeeded", "audio_url": LINK}
SUCCESS: Final = json_answer(200, status="SUCCESS", data=[_DONE])
FAILED: Final = json_answer(200, status="FAILED", type="failed", message="simulated; credits were refunded")
UNKNOWN: Final = json_answer(404, type="not_found")
REFUSED: Final = json_answer(401, type="unauthorized")


@dataclass(frozen=True, slots=True)
class End:
    """A status, and the reason that stands beside it; where there is no row, the reason for that."""

    status: Status | None
    reason: Reason | None = None


SUCCEEDED: Final = End(Status.SUCCEEDED)
FAILED_BY_VENDOR: Final = End(Status.FAILED, Reason.FAILED_BY_VENDOR)
TASK_UNKNOWN: Final = End(Status.SUBMITTED, Reason.TASK_UNKNOWN)
NEVER_FINISHED: Final = End(Status.SUBMITTED, Reason.NEVER_FINISHED)
IN_DOUBT: Final = End(Status.IN_DOUBT, Reason.OUTCOME_UNKNOWN)
NO_ROW: Final = End(None, Reason.NO_SUCH_REQUEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    name: str
    words: tuple[Answer, ...]
    """What the vendor answers to one poll after the other."""
    begin: Callable[[FollowingWorld], None]
    """Up to where something may go wrong."""
    ends: tuple[End, ...]
    """More than one where it depends on who is heard."""
    vendor_repeats: bool = True
    is_redriven: bool = False
    """Whether an operator redrives every dead letter once nothing else comes."""
    recordings: tuple[Served, ...] = ()
    """What the host of its recording answers, one attempt after the other; empty: recordings are not kept."""
    keeping_ends: tuple[Keeping, ...] = (Keeping.KEPT,)
    letters: tuple[Reason, ...] = ()
    """Reasons of dead letters that may stay although the song ended later."""


def submitted(
    world: FollowingWorld,
    *,
    task_token: str | None = None,
    at: tuple[Step, int] | None = None,
    fault: Fault | None = None,
) -> None:
    """submit_song takes the request; the fault comes at that step, when it is reached for that time."""
    request = {"request_id": REQUEST_ID, "title": _TITLE, "sound": "simulated", "metadata": {"customer": "c-1"}}
    token = {"task_token": task_token} if task_token else {}
    message = world.scene.requests.send(
        Sent("the request", REQUEST_ID, _TITLE), json.dumps({**request, **token}), now=world.now
    )
    running = world.submit(message)
    passed: list[Step] = []
    while (step := running.at) is not None:
        passed.append(step)
        world.resume(running, fault if at == (step, passed.count(step)) else None)
    if fault is None:
        assert world.scene.requests.requests == []


in_doubt: Final = partial(submitted, at=(Step.CREATE, 1), fault=Fault.ANSWER_LOST)
died_in_the_call: Final = partial(submitted, at=(Step.WRITE, 2), fault=Fault.DEATH)


def _with_token(world: FollowingWorld) -> None:
    submitted(world, task_token=TASK_TOKEN)


def _then_the_row_is_deleted(world: FollowingWorld) -> None:
    submitted(world)
    world.scene.table.items.clear()


def _late(world: FollowingWorld, *, task_token: str | None = None) -> None:
    """Its first check comes when it is followed no longer."""
    submitted(world, task_token=task_token)
    world.scene.now += 25 * 3600


def _then_the_row_is_deleted_and_it_is_late(world: FollowingWorld) -> None:
    _late(world)
    world.scene.table.items.clear()


def _webhook(
    before: Callable[[FollowingWorld], None],
    *after: float,
    age: float = 0.0,
    task_id: str = TASK_ID,
) -> Callable[[FollowingWorld], None]:
    """after: the seconds after which each call comes."""

    def begin(world: FollowingWorld) -> None:
        before(world)
        for seconds in after:
            world.scene.courier.tell(world.scene.vendor.webhooks[_TITLE], task_id, world.now + seconds, age)

    return begin


def _then_a_hint_is_forged(world: FollowingWorld) -> None:
    """By one who may send checks, and does not know the signing key."""
    in_doubt(world)
    hint = SignedHint("their hint", is_late=False, proof="0" * 64)
    check = SongCheck(REQUEST_ID, "their task", world.now, hint=hint)
    world.scene.checks.send(Sent("a forged check", REQUEST_ID, song=""), json.dumps(asdict(check)), now=world.now)


def _two_checks(world: FollowingWorld) -> None:
    """The usual one, and one that its webhook has brought about."""
    _webhook(submitted, 5)(world)
    call = world.next()
    assert call is not None
    while call.at is not None:
        world.resume(call)


def _until_nothing_comes(world: FollowingWorld, *, task_token: str | None = None) -> None:
    """It has ended, or it was given up."""
    submitted(world, task_token=task_token)
    while (running := world.next()) is not None:
        while running.at is not None:
            world.resume(running)


def _webhook_once_nothing_comes(world: FollowingWorld, *, task_token: str | None = None) -> None:
    _until_nothing_comes(world, task_token=task_token)
    world.scene.courier.tell(world.scene.vendor.webhooks[_TITLE], TASK_ID, world.now)


# The song is given up at the fifth, whose minute is over then.
_UNKNOWN_FOR_LONG: Final = (UNKNOWN,) * 5
_TWICE: Final = (RUNNING, SUCCESS)


_TRACKED: Final = (
    Story(name="success at first look", words=(SUCCESS,), begin=submitted, ends=(SUCCEEDED,)),
    Story(name="not yet twice", words=(RUNNING, RUNNING, SUCCESS), begin=submitted, ends=(SUCCEEDED,)),
    Story(name="failed by the vendor", words=(FAILED,), begin=submitted, ends=(FAILED_BY_VENDOR,)),
    Story(name="unknown for long", words=(UNKNOWN,), begin=submitted, ends=(TASK_UNKNOWN,)),
    Story(name="unknown once", words=(UNKNOWN, RUNNING, SUCCESS), begin=submitted, ends=(SUCCEEDED,)),
    Story(name="token refused", words=(REFUSED, SUCCESS), begin=submitted, ends=(SUCCEEDED,)),
    Story(name="success for a workflow", words=(SUCCESS,), begin=_with_token, ends=(SUCCEEDED,)),
    Story(name="failure for a workflow", words=(FAILED,), begin=_with_token, ends=(FAILED_BY_VENDOR,)),
    Story(
        name="failed, then succeeded",
        words=(FAILED, SUCCESS),
        begin=_with_token,
        ends=(FAILED_BY_VENDOR, SUCCEEDED),
    ),
    Story(
        name="succeeded, then failed",
        words=(SUCCESS, FAILED),
        begin=_with_token,
        ends=(SUCCEEDED, FAILED_BY_VENDOR),
    ),
    Story(
        name="failed, then succeeded by its webhook",
        words=(FAILED, SUCCESS),
        begin=partial(_webhook_once_nothing_comes, task_token=TASK_TOKEN),
        ends=(SUCCEEDED,),
    ),
    Story(
        name="succeeded, then unknown",
        words=(SUCCESS, UNKNOWN),
        begin=_with_token,
        ends=(SUCCEEDED, TASK_UNKNOWN),
    ),
    Story(
        name="unknown for long, then succeeded by a redrive",
        words=(*_UNKNOWN_FOR_LONG, SUCCESS),
        begin=partial(_until_nothing_comes, task_token=TASK_TOKEN),
        ends=(SUCCEEDED,),
        is_redriven=True,
    ),
    Story(
        name="unknown for long, then succeeded by its webhook",
        words=(*_UNKNOWN_FOR_LONG, SUCCESS),
        begin=partial(_webhook_once_nothing_comes, task_token=TASK_TOKEN),
        ends=(SUCCEEDED,),
        letters=(Reason.TASK_UNKNOWN,),
    ),
    Story(
        name="succeeded, then running for ever",
        words=(SUCCESS, RUNNING),
        begin=partial(_late, task_token=TASK_TOKEN),
        ends=(SUCCEEDED, NEVER_FINISHED),
    ),
    Story(name="overdue", words=(RUNNING,), begin=_late, ends=(NEVER_FINISHED,)),
    Story(
        name="overdue, redriven, unknown once",
        words=(RUNNING, UNKNOWN, RUNNING, SUCCESS),
        begin=_late,
        ends=(SUCCEEDED,),
        is_redriven=True,
    ),
    Story(name="no such row", words=(SUCCESS,), begin=_then_the_row_is_deleted, ends=(NO_ROW,)),
    Story(
        name="no such row, overdue",
        words=(RUNNING,),
        begin=_then_the_row_is_deleted_and_it_is_late,
        ends=(NO_ROW,),
    ),
)


def _told(
    name: str,
    begin: Callable[[FollowingWorld], None],
    *,
    may_stay_in_doubt: bool,
    words: tuple[Answer, ...] = (SUCCESS,),
) -> tuple[Story, Story]:
    """The webhook of a vendor that repeats it until it is taken, and of one that never does."""
    told = partial(Story, words=words, begin=begin)
    doubtful = (SUCCEEDED, IN_DOUBT) if may_stay_in_doubt else (SUCCEEDED,)
    return (
        told(name=f"webhook {name}", ends=(SUCCEEDED,)),
        told(name=f"webhook {name}, never repeated", ends=doubtful, vendor_repeats=False, is_redriven=True),
    )


_TOLD: Final = (
    *_told("of a submitted song", _webhook(submitted, 5), may_stay_in_doubt=False),
    *_told("of an ended song", _webhook_once_nothing_comes, may_stay_in_doubt=False),
    *_told("of a doubt", _webhook(in_doubt, 30), may_stay_in_doubt=True),
    *_told("of a doubt whose letter is out", _webhook(in_doubt, 1000), may_stay_in_doubt=True),
    *_told("of a call that died", _webhook(died_in_the_call, 30), may_stay_in_doubt=True),
    *_told(
        "of a doubt whose letter is out, late", _webhook(in_doubt, 1000, age=400), may_stay_in_doubt=True, words=_TWICE
    ),
    Story(
        name="webhook of a song that is not finished",
        words=(RUNNING, RUNNING, SUCCESS),
        begin=_webhook(submitted, 5),
        ends=(SUCCEEDED,),
    ),
    Story(name="two webhooks of a doubt", words=_TWICE, begin=_webhook(in_doubt, 30, 31), ends=(SUCCEEDED,)),
    Story(
        name="webhook of another task",
        words=(SUCCESS,),
        begin=_webhook(submitted, 5, task_id="task-2"),
        ends=(SUCCEEDED,),
    ),
    Story(
        name="webhook of a deleted row",
        words=(SUCCESS,),
        begin=_webhook(_then_the_row_is_deleted, 5),
        ends=(NO_ROW,),
    ),
    Story(
        name="unknown for long, then running after its webhook",
        words=(*_UNKNOWN_FOR_LONG, RUNNING, SUCCESS),
        begin=_webhook_once_nothing_comes,
        ends=(SUCCEEDED,),
        letters=(Reason.TASK_UNKNOWN,),
    ),
    Story(name="a forged hint of a doubt", words=(SUCCESS,), begin=_then_a_hint_is_forged, ends=(IN_DOUBT,)),
)

STORIES: Final = (*_TRACKED, *_TOLD)

KEPT_STORIES: Final = (
    Story(
        name="kept for a workflow",
        words=(SUCCESS,),
        begin=_with_token,
        ends=(SUCCEEDED,),
        recordings=(Served.RECORDING,),
    ),
    Story(
        name="kept at the second attempt",
        words=(SUCCESS,),
        begin=_with_token,
        ends=(SUCCEEDED,),
        recordings=(Served.LATER, Served.RECORDING),
    ),
    Story(
        name="failed, then succeeded by its webhook, and kept",
        words=(FAILED, SUCCESS),
        begin=_webhook_once_nothing_comes,
        ends=(SUCCEEDED,),
        recordings=(Served.RECORDING,),
    ),
    Story(
        name="never kept",
        words=(SUCCESS,),
        begin=_with_token,
        ends=(SUCCEEDED,),
        recordings=(Served.NEVER,),
        keeping_ends=(Keeping.GIVEN_UP,),
    ),
    Story(
        name="kept after a redrive",
        words=(SUCCESS,),
        begin=_with_token,
        ends=(SUCCEEDED,),
        recordings=(Served.NEVER, Served.RECORDING),
        is_redriven=True,
    ),
)
"""With recordings kept."""

OF_TWO_CHECKS: Final = Story(
    name="two checks hear one thing and the other",
    words=(FAILED, SUCCESS),
    begin=_two_checks,
    ends=(SUCCEEDED,),
)
