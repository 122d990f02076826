"""The redrive of dead letters (StartMessageMoveTask and its kin), which ministack lacks."""

import contextvars
import json
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

from ministack.services import sqs

Queue = dict[str, Any]
Message = dict[str, Any]
Request = dict[str, Any]
Response = dict[str, Any]

# Failure reason of the SQS developer guide, "Troubleshooting dead-letter queue redrive". It concerns every dead letter
# that a handler sent by itself: such a message has no source queue, and moves only to a destination the caller names.
NO_SOURCE = "CouldNotDetermineMessageSource"

RUNNING = "RUNNING"
SECONDS_OF_A_TASK = 0.2


def mend() -> None:
    sqs._HANDLERS["StartMessageMoveTask"] = _start_move_task
    sqs._HANDLERS["ListMessageMoveTasks"] = _list_move_tasks
    sqs._HANDLERS["ListDeadLetterSourceQueues"] = _list_source_queues


def _start_move_task(request: Request, _queue_url: str) -> Response:
    """Answers before any message is moved. A queue has one running task at most (StartMessageMoveTask)."""
    source = _existing_queue(request["SourceArn"])
    if not any(_sources_of(source)):
        raise sqs._Err("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    destination = _existing_queue(request["DestinationArn"]) if "DestinationArn" in request else None
    # Kept on the queue, so that a reset or a deleted queue discards its tasks.
    tasks = source.setdefault("move_tasks", [])
    if any(task["Status"] == RUNNING for task in tasks):
        message = "There is already a task running. Only one active task is allowed for a source queue at a given time."
        raise sqs._Err("InvalidParameterValue", message)
    task = {
        "TaskHandle": uuid.uuid4().hex,
        "Status": RUNNING,
        "SourceArn": request["SourceArn"],
        "StartedTimestamp": int(time.time() * 1000),
        "ApproximateNumberOfMessagesToMove": len(source["messages"]),
        "ApproximateNumberOfMessagesMoved": 0,
    }
    tasks.insert(0, task)
    # ministack finds the account of a call in its context.
    context = contextvars.copy_context()
    timer = threading.Timer(SECONDS_OF_A_TASK, context.run, (_perform, task, source, destination))
    timer.daemon = True
    timer.start()
    return {"TaskHandle": task["TaskHandle"]}


def _perform(task: Response, source: Queue, destination: Queue | None) -> None:
    with sqs._queues_lock:
        task.update(_move(source, destination))
        # A task has its handle only while it is running (ListMessageMoveTasks).
        del task["TaskHandle"]


def _move(source: Queue, destination: Queue | None) -> Response:
    """Moves what is visible, each message to `destination` or, without one, to the queue it came from."""
    visible = [message for message in source["messages"] if message["visible_at"] <= time.time()]
    for moved, message in enumerate(visible):
        target = destination or sqs._queue_by_arn(message["sys"].get("DeadLetterQueueSourceArn", ""))
        if target is None:
            return {"Status": "FAILED", "FailureReason": NO_SOURCE, "ApproximateNumberOfMessagesMoved": moved}
        source["messages"].remove(message)
        target["messages"].append(_as_new(message))
        sqs.esm_wake.set()
    return {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": len(visible)}


def _as_new(message: Message) -> Message:
    """Developer guide, redrive: "All redriven messages are considered new messages with a new messageID"."""
    now = time.time()
    system = {key: value for key, value in message["sys"].items() if key != "DeadLetterQueueSourceArn"}
    return {
        **message,
        "id": str(uuid.uuid4()),
        "receipt_handle": None,
        "receive_count": 0,
        "first_receive_at": None,
        "sent_at": now,
        "visible_at": now,
        "sys": {**system, "SentTimestamp": str(int(now * 1000))},
    }


def _list_move_tasks(request: Request, _queue_url: str) -> Response:
    tasks = _existing_queue(request["SourceArn"]).get("move_tasks", [])
    return {"Results": tasks[: request.get("MaxResults", 1)]}


def _list_source_queues(request: Request, queue_url: str) -> Response:
    queue = sqs._get_q(request.get("QueueUrl", queue_url))
    return {"queueUrls": [source["url"] for source in _sources_of(queue)]}


def _sources_of(dead_letter_queue: Queue) -> Iterator[Queue]:
    for queue in sqs._queues.values():
        policy = json.loads(queue["attributes"].get("RedrivePolicy", "{}"))
        if policy.get("deadLetterTargetArn") == dead_letter_queue["attributes"]["QueueArn"]:
            yield queue


def _existing_queue(arn: str) -> Queue:
    queue: Queue | None = sqs._queue_by_arn(arn)
    if queue is None:
        raise sqs._Err("ResourceNotFoundException", f"The resource {arn} doesn't exist.")
    return queue
