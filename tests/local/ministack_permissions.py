"""IAM: which permission a call needs."""

import functools
from typing import Any

from ministack.core import iam_actions

SQS_BATCHES = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}


def mend() -> None:
    """A batch call of SQS needs the permission of the single one, as AddPermission's reference says."""
    action_of = iam_actions.extract_iam_action

    @functools.wraps(action_of)
    def mended(*request: Any, **named: Any) -> str | None:
        action: str | None = action_of(*request, **named)
        return SQS_BATCHES.get(action, action) if action else action

    iam_actions.extract_iam_action = mended
