"""IAM: which permission a call needs."""

import functools
import re
from typing import Any

from ministack.core import iam_actions

SQS_BATCHES = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}

ONE_MAPPING = re.compile(r"/[^/]+/event-source-mappings/[^/]+/?")
OF_ONE_MAPPING = {"GET": "lambda:GetEventSourceMapping", "PUT": "lambda:UpdateEventSourceMapping"}


def mend() -> None:
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
