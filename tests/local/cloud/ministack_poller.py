"""Lambda's poller: it reads a queue by the rights of the function's role, not by rights of its own."""

import functools
import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext
from ministack.services import iam, lambda_svc, sqs
from ministack.services.cloudformation import provisioners

Function = dict[str, Any]
Queue = dict[str, Any]
Properties = dict[str, Any]
Creation = tuple[str, dict[str, str]]
Create = Callable[[str, Properties, str], Creation]
Concurrency = Callable[..., int]

RECEIVE, DELETE = "sqs:ReceiveMessage", "sqs:DeleteMessage"
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
NEEDED = (RECEIVE, DELETE, "sqs:GetQueueAttributes")


def mend() -> None:
    lambda_svc._sqs_esm_concurrency = _receives_by_the_role(lambda_svc._sqs_esm_concurrency)
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    handlers["create"] = _refuses_a_role_without_rights(handlers["create"])


def may(function: Function, queue: Queue, action: str) -> bool:
    """Whether the role of the function may do this to the queue, by its own policies and by that of the queue."""
    role: str = function["config"]["Role"]
    account, name = role.split(":")[4], role.rpartition("/")[2]
    stored = iam._roles.get_scoped(account, None, name) or {}
    inline = tuple(map(_text, stored.get("InlinePolicies", {}).values()))
    attached = tuple(stored.get("AttachedPolicies", ()))
    attributes = queue["attributes"]
    return _may(role, inline + attached, attributes["QueueArn"], _text(attributes.get("Policy", "")), action)


def _text(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)


@functools.cache
def _may(role: str, _policies: tuple[str, ...], queue_arn: str, queue_policy: str, action: str) -> bool:
    """Evaluated once for the policies as they are: the poller asks many times a second."""
    account, name = role.split(":")[4], role.rpartition("/")[2]
    context = EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/poller",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=queue_arn,
        region=queue_arn.split(":")[3],
        secure_transport=True,
    )
    by_the_role = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account))
    owner = queue_arn.split(":")[4]
    decision: str = iam_evaluator.combine_resource_policy(by_the_role, context, queue_policy, owner).decision
    return decision == "Allow"


def _receives_by_the_role(concurrency: Concurrency) -> Concurrency:
    """Without sqs:ReceiveMessage, no batch is received and no function invoked."""

    @functools.wraps(concurrency)
    def allowed(mapping: dict[str, Any], function: Function, config: Properties, queue: Queue | None = None) -> int:
        if queue is None or not may(function, queue, RECEIVE):
            return 0
        return concurrency(mapping, function, config, queue)

    return allowed


def _refuses_a_role_without_rights(create: Create) -> Create:
    """Lambda creates no mapping whose function may not read the queue (CreateEventSourceMapping)."""

    @functools.wraps(create)
    def creating(logical_id: str, properties: Properties, stack_name: str) -> Creation:
        queue = sqs._queue_by_arn(properties["EventSourceArn"])
        function, *_ = provisioners._lambda_function_for_cfn_ref(properties["FunctionName"])
        for action in NEEDED:
            if not may(function, queue, action):
                call = action.removeprefix("sqs:")
                raise ValueError(f"The function execution role does not have permissions to call {call} on SQS")
        return create(logical_id, properties, stack_name)

    return creating
