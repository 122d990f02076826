"""Amazon SQS: what a short poll of a queue returns."""

import functools
import time
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any

from ministack.services import sqs

Queue = dict[str, Any]
Request = dict[str, Any]
Response = dict[str, Any]
Receive = Callable[[Request, str], Awaitable[Response]]


class _Seen(Enum):
    """What the sampled servers hold of the messages that are there."""

    NOTHING = auto()
    HALF = auto()
    ALL = auto()


# The short polls of one queue go through this again and again. Two in a row see nothing: one empty answer proves
# nothing on AWS, and neither do two.
_SHORT_POLLS = (_Seen.NOTHING, _Seen.NOTHING, _Seen.HALF, _Seen.ALL)


def mend() -> None:
    sqs._HANDLERS["ReceiveMessage"] = _sees_a_part(sqs._HANDLERS["ReceiveMessage"])


def _sees_a_part(receive: Receive) -> Receive:
    """A short poll asks a sample of the servers, so it may miss messages that are there. A long poll asks all of them.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
    """

    @functools.wraps(receive)
    async def receiving(request: Request, queue_url: str) -> Response:
        queue = sqs._get_q(request.get("QueueUrl", queue_url))
        if _is_long(request, queue):
            return await receive(request, queue_url)
        match _next_of(queue):
            case _Seen.NOTHING:
                most = 0
            case _Seen.HALF:
                most = (_visible(queue) + 1) // 2
            case _Seen.ALL:
                most = _visible(queue)
        if most == 0:
            return {}
        wanted = int(request.get("MaxNumberOfMessages", 1))
        return await receive({**request, "MaxNumberOfMessages": min(wanted, most)}, queue_url)

    return receiving


def _is_long(request: Request, queue: Queue) -> bool:
    """A wait in the request counts before that of the queue (ReceiveMessage, `WaitTimeSeconds`)."""
    wait = request.get("WaitTimeSeconds")
    return int(queue["attributes"].get("ReceiveMessageWaitTimeSeconds", 0) if wait is None else wait) > 0


def _next_of(queue: Queue) -> _Seen:
    # Kept on the queue, so that a reset or a deleted queue discards it.
    number: int = queue.get("short_polls", 0)
    queue["short_polls"] = number + 1
    return _SHORT_POLLS[number % len(_SHORT_POLLS)]


def _visible(queue: Queue) -> int:
    return sum(message["visible_at"] <= time.time() for message in queue["messages"])
