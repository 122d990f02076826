"""Amazon SQS: what a message weighs, and what an old receipt handle is good for."""

import functools
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from ministack.services import sqs

Request = dict[str, Any]
Response = dict[str, Any]
Handler = Callable[[Request, str], Response]


def mend() -> None:
    sqs._act_send_message = _refuses_oversize(sqs._act_send_message)
    sqs._HANDLERS["SendMessage"] = sqs._act_send_message
    sqs._HANDLERS["DeleteMessage"] = _accepts_old_handles(sqs._HANDLERS["DeleteMessage"])


def take_turns() -> None:
    """A message that SQS has accepted is not lost. Called last, since it wraps what the other mends have put in place.

    The mapping's threads put a queue's list of messages in place anew under a lock that the handlers of requests do not
    take, so a message that was just appended to the old list could vanish: seen once in some ten thousand.
    """
    lock = threading.RLock()
    sqs._queues_lock = lock
    for name in ("SendMessage", "SendMessageBatch", "DeleteMessage", "DeleteMessageBatch", "StartMessageMoveTask"):
        sqs._HANDLERS[name] = _in_turn(sqs._HANDLERS[name], lock)


def _in_turn(handler: Handler, lock: AbstractContextManager[object]) -> Handler:
    @functools.wraps(handler)
    def handling(request: Request, queue_url: str) -> Response:
        with lock:
            return handler(request, queue_url)

    return handling


def _refuses_oversize(send: Handler) -> Handler:
    """The size limit covers the attributes too: name, type and value of each (SendMessage, API reference)."""

    @functools.wraps(send)
    def sending(request: Request, queue_url: str) -> Response:
        queue = sqs._get_q(request.get("QueueUrl", queue_url))
        limit = int(queue["attributes"]["MaximumMessageSize"])
        size = len(request.get("MessageBody", "").encode()) + _size_of(request.get("MessageAttributes") or {})
        if size > limit:
            reason = f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
            raise sqs._Err("InvalidParameterValue", reason)
        return send(request, queue_url)

    return sending


def _size_of(attributes: Mapping[str, Mapping[str, str]]) -> int:
    return sum(
        len(name.encode()) + len(attribute["DataType"].encode()) + len(attribute.get("StringValue", "").encode())
        for name, attribute in attributes.items()
    )


def _accepts_old_handles(delete: Handler) -> Handler:
    """ "If you use an old ReceiptHandle, the request will succeed" (DeleteMessage), so deleting twice is no error."""

    @functools.wraps(delete)
    def deleting(request: Request, queue_url: str) -> Response:
        try:
            return delete(request, queue_url)
        except sqs._Err as error:
            if error.code == "ReceiptHandleIsInvalid" and _could_be_a_handle(request["ReceiptHandle"]):
                return {}
            raise

    return deleting


def _could_be_a_handle(text: str) -> bool:
    """ministack's receipt handles are UUIDs; anything else was never one, and stays an error."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
