"""IAM: which permission a call needs."""

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import eventbridge, lambda_svc, sqs

SQS_BATCHES = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}

ONE_MAPPING = re.compile(r"/[^/]+/event-source-mappings/[^/]+/?")
OF_ONE_MAPPING = {"GET": "lambda:GetEventSourceMapping", "PUT": "lambda:UpdateEventSourceMapping"}


PARTIQL_ACTIONS = {"INSERT": "dynamodb:PartiQLInsert", "UPDATE": "dynamodb:PartiQLUpdate"}
# The statements that this project writes: the verb, and the first name in double quotes, which is the table's.
_STATEMENT = re.compile(r'(INSERT INTO|UPDATE) "([^"]+)"')


def mend() -> None:
    _mend_calls()
    _mend_simulations()
    _mend_statements()
    _mend_conditions()
    _mend_deliveries()


def _mend_calls() -> None:
    """A batch call of SQS needs the permission of the single one, as AddPermission's reference says.

    Looking at one event source mapping is not listing all, and changing it needs a permission (Service Authorization
    Reference, Lambda).
    """
    action_of = iam_actions.extract_iam_action

    @functools.wraps(action_of)
    def mended(service: str, method: str, path: str, *request: Any, **named: Any) -> str | None:
        if service == "lambda" and ONE_MAPPING.fullmatch(path) and method in OF_ONE_MAPPING:
            return OF_ONE_MAPPING[method]
        action: str | None = action_of(service, method, path, *request, **named)
        return SQS_BATCHES.get(action, action) if action else action

    iam_actions.extract_iam_action = mended


def _mend_simulations() -> None:
    """Simulating the policies of a role needs the permission on that role (Service Authorization Reference, IAM)."""
    resource_of = iam_actions.extract_resource_arn

    @functools.wraps(resource_of)
    def mended(service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *view: Any) -> Any:
        found = resource_of(service, method, path, headers, body, query, *view)
        source = iam_actions._query_param(query, "PolicySourceArn") if service == "iam" else ""
        return source or found

    iam_actions.extract_resource_arn = mended


def _mend_statements() -> None:
    """Each statement of a BatchExecuteStatement needs the permission of its verb on its table.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
    """
    checks_of = iam_actions.dynamodb_transaction_checks

    @functools.wraps(checks_of)
    def mended(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        if action == "dynamodb:BatchExecuteStatement":
            return list(_statement_checks(body, region, account))
        checks: list[tuple[str, str]] = checks_of(action, body, region, account)
        return checks

    iam_actions.dynamodb_transaction_checks = mended


def _statement_checks(body: bytes, region: str, account: str) -> Iterator[tuple[str, str]]:
    for statement in json.loads(body)["Statements"]:
        found = _STATEMENT.match(statement["Statement"])
        # What is none of these is checked as a permission that nobody has.
        verb, table = (found[1].split()[0], found[2]) if found else ("", "")
        action = PARTIQL_ACTIONS.get(verb, "dynamodb:PartiQL")
        yield action, f"arn:aws:dynamodb:{region}:{account}:table/{table}"


def _mend_conditions() -> None:
    """A call about one mapping has the ARN of its function as the condition key lambda:FunctionArn.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
    """
    resolve = iam_evaluator._resolve_condition_key

    @functools.wraps(resolve)
    def mended(key: str, context: Any) -> Any:
        kind, _, mapping = context.resource_arn.rpartition(":")
        if key.lower() == "lambda:functionarn" and kind.endswith(":event-source-mapping"):
            return lambda_svc._esms.get(mapping, {}).get("FunctionArn")
        return resolve(key, context)

    iam_evaluator._resolve_condition_key = mended


def _mend_deliveries() -> None:
    """A rule sends to a queue only if the policy of the queue lets it, as ministack's topics do.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    invoke = eventbridge._invoke_target

    @functools.wraps(invoke)
    def mended(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], *view: Any, **named: Any) -> None:
        arn, account = target.get("Arn", ""), rule["Arn"].split(":")[4]
        if ":sqs:" in arn and not sqs.queue_policy_allows(arn, "events.amazonaws.com", rule["Arn"], account):
            return
        invoke(target, event, rule, *view, **named)

    eventbridge._invoke_target = mended
