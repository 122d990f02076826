"""What the stand-in answers to a poll, in either generation's shape."""

from typing import Final, assert_never

from tests.local.vendor.answer import NOT_FOUND, Answer, Generation, json_answer, validation_error
from tests.local.vendor.clip import unfinished_clip
from tests.local.vendor.record import Create
from tests.local.vendor.story import Fails

TASK_NOT_FOUND: Final = validation_error("task not found.")
_NOT_READY: Final = {"code": 202, "type": "not_ready", "error": "The task is not ready yet."}

Clips = list[dict[str, object]]


def no_such_task(generation: Generation) -> Answer:
    error = TASK_NOT_FOUND if generation is Generation.OLDER else NOT_FOUND
    return error.answer(generation)


def running(create: Create, generation: Generation, poll_number: int) -> Answer:
    """The forms of "not yet" in turn: the older pages have four, of which a reader must know each."""
    if generation is Generation.NEWER:
        return json_answer({"status": "RUNNING" if poll_number else "PENDING", "data": []})
    match poll_number % 4:
        case 0:
            return json_answer(_NOT_READY, status=202)
        case 1:
            return json_answer(_NOT_READY)
        case 2:
            return in_state(create, generation, "pending")
        case _:
            return in_state(create, generation, "running")


def succeeded(clips: Clips, generation: Generation) -> Answer:
    """Success; without clips it means "not yet", whatever it says."""
    payload = {"code": 200, "message": "success", "data": clips}
    return json_answer(payload if generation is Generation.OLDER else {**payload, "status": "SUCCESS"})


def failed(create: Create, ending: Fails, generation: Generation) -> Answer:
    if ending.http_status != 200:
        return json_answer({"type": ending.code, "error": ending.message}, ending.http_status)
    match generation:
        case Generation.NEWER:
            return json_answer({"status": "FAILED", "type": ending.code, "message": ending.message})
        case Generation.OLDER if ending.refunded is None and ending.code == "failed":
            # A failed clip has no words for the credits or the cause, so the other shape serves where there are any.
            return in_state(create, generation, "failed")
        case Generation.OLDER:
            return json_answer({"code": 200, "type": "failed", "message": ending.message})
        case unreachable:
            assert_never(unreachable)


def in_state(create: Create, generation: Generation, word: str) -> Answer:
    """A task in the state or the status of that word, and no song."""
    if generation is Generation.NEWER:
        return json_answer({"status": word, "data": []})
    return json_answer({"code": 200, "message": "success", "data": [unfinished_clip(create, word)]})
