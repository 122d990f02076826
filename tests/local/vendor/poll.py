"""The answers of the stand-in to a poll, in the shape of either generation."""

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
    """The forms of "not yet" in turn: the older pages have four, and a reader has to know all of them."""
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
    """Success, which means "not yet" if there are no clips."""
    payload = {"code": 200, "message": "success", "data": clips}
    return json_answer(payload if generation is Generation.OLDER else {**payload, "status": "SUCCESS"})


def failed(create: Create, ending: Fails, generation: Generation) -> Answer:
    if ending.http_status != 200:
        return json_answer({"type": ending.code, "error": ending.message}, ending.http_status)
    match generation:
        case Generation.NEWER:
            return json_answer({"status": "FAILED", "type": ending.code, "message": ending.message})
        case Generation.OLDER if ending.refunded is None and ending.code == "failed":
            # A failed clip has no text about credits or the cause, so an ending with such a text has the other shape.
            return in_state(create, generation, "failed")
        case Generation.OLDER:
            return json_answer({"code": 200, "type": "failed", "message": ending.message})
        case unreachable:
            assert_never(unreachable)


def in_state(create: Create, generation: Generation, status: str) -> Answer:
    """A task with that status, or with a clip in that state, and without a recording."""
    if generation is Generation.NEWER:
        return json_answer({"status": status, "data": []})
    return json_answer({"code": 200, "message": "success", "data": [unfinished_clip(create, status)]})
