"""The event source mapping from SQS to Lambda: what AWS makes of a batch response, and of a queue too impatient."""

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import esm_wake
from ministack.services import lambda_svc, sqs
from ministack.services.cloudformation import provisioners

from tests.local.cloud import ministack_poller

Mapping = dict[str, Any]
Properties = dict[str, Any]
Creation = tuple[str, dict[str, str]]
Create = Callable[[str, Properties, str], Creation]

_NUMBERS = ("BatchSize", "MaximumBatchingWindowInSeconds")

Update = Callable[[str, Properties, Properties, str], Creation]

LOOK_AGAIN_AFTER = 0.1  # seconds; ministack notices a message whose visibility runs out only once a second


def mend() -> None:
    lambda_svc._run_sqs_batch = _run_batch
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    handlers["create"] = _takes_concurrency_as_text(_refuses_short_visibility(handlers["create"]))
    handlers["update"] = _updates_with_numbers_as_text(handlers["update"])
    threading.Thread(target=_look_for_visible_messages, daemon=True).start()


def _run_batch(
    mapping: Mapping, function: dict[str, Any], event: dict[str, Any], _batch: object, queue_url: str, _queue_name: str
) -> None:
    """Invokes the function and deletes what it finished; the rest comes back when its visibility timeout ends."""
    result = lambda_svc._execute_function(function, event)
    if result.get("error"):
        mapping["LastProcessingResult"] = f"FAILED: {result.get('body')}"
        lambda_svc._esm_backoff_until[mapping["UUID"]] = time.time() + lambda_svc._ESM_BACKOFF_SECONDS
        return
    # The handles of this delivery: a message received again since is the other delivery's to delete.
    handles = {record["messageId"]: record["receiptHandle"] for record in event["Records"]}
    if "ReportBatchItemFailures" in mapping["FunctionResponseTypes"]:
        failed = failed_messages(result.get("body"), set(handles))
    else:
        failed = set()
    mapping["LastProcessingResult"] = f"OK, {len(failed)} of {len(handles)} reported as failed"
    if ministack_poller.may(function, sqs._get_q(queue_url), ministack_poller.DELETE):
        done = {handle for message, handle in handles.items() if message not in failed}
        sqs._delete_messages_for_esm(queue_url, done)


def failed_messages(response: object, messages: set[str]) -> set[str]:
    """Which of a batch's message ids stay on the queue.

    Developer guide, "Success and failure conditions": null or empty means that all succeeded; an item without a known
    `itemIdentifier`, or anything that is not a batch response, fails the whole batch. (ministack deletes it instead.)
    """
    if response is None:
        return set()
    if not isinstance(response, dict):
        return messages
    items = response.get("batchItemFailures") or []
    if not isinstance(items, list):
        return messages
    named = [item.get("itemIdentifier") if isinstance(item, dict) else None for item in items]
    return {str(name) for name in named} if all(name in messages for name in named) else messages


def _refuses_short_visibility(create: Create) -> Create:
    """Lambda takes no mapping from a queue whose messages come back while the function may still work on them."""

    @functools.wraps(create)
    def creating(logical_id: str, properties: Properties, stack_name: str) -> Creation:
        queue = sqs._queue_by_arn(properties["EventSourceArn"])
        function, *_ = provisioners._lambda_function_for_cfn_ref(properties["FunctionName"])
        visibility = int(queue["attributes"]["VisibilityTimeout"])
        timeout = int(function["config"]["Timeout"])
        if visibility < timeout:
            message = f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
            raise ValueError(message)
        return create(logical_id, properties, stack_name)

    return creating


def _takes_concurrency_as_text(create: Create) -> Create:
    """A property set by a parameter arrives as text, whatever the parameter's type; CloudFormation converts it."""

    @functools.wraps(create)
    def creating(logical_id: str, properties: Properties, stack_name: str) -> Creation:
        scaling = properties.get("ScalingConfig")
        if scaling:
            numbers = {name: int(value) for name, value in scaling.items()}
            properties = {**properties, "ScalingConfig": numbers}
        return create(logical_id, properties, stack_name)

    return creating


def _updates_with_numbers_as_text(update: Update) -> Update:
    """The same for an update, which ministack copies into the mapping as it is."""

    @functools.wraps(update)
    def updating(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Creation:
        numbers: Properties = {name: int(new[name]) for name in _NUMBERS if name in new}
        scaling = {name: int(value) for name, value in new.get("ScalingConfig", {}).items()}
        return update(physical_id, old, {**new, **numbers, "ScalingConfig": scaling}, stack_name)

    return updating


def _look_for_visible_messages() -> None:
    while True:
        esm_wake.set()
        time.sleep(LOOK_AGAIN_AFTER)
