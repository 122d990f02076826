"""The answer to a Step Functions task that waits for its song (a message with a `task_token`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from song_intake.aws_failure import AWS_FAILURES, code_of
from song_intake.reason import Reason
from song_intake.undone import Undone

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from song_intake.announcements import Announcement

# The task was answered before, timed out, or its execution ended: nobody waits any more, so there is nobody to tell.
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
NOBODY_WAITS = frozenset(("TaskDoesNotExist", "TaskTimedOut", "InvalidToken"))


class CallbackFailed(Undone):
    """Step Functions did not take the answer."""

    reason = Reason.CALLBACK_UNAVAILABLE


class Callback:
    """Safe to share between threads."""

    def __init__(self, step_functions: SFNClient, nobody_waits: Callable[[str], None] = lambda _code: None) -> None:
        """nobody_waits is told the code of an answer that nobody wanted, for the log; it is forgotten then."""
        self._step_functions = step_functions
        self._nobody_waits = nobody_waits

    def succeeded(self, task_token: str, announcement: Announcement) -> bool:
        """Answer with the event's detail. False if nobody waits any more; raises CallbackFailed."""
        output = json.dumps(announcement.as_detail(), ensure_ascii=False)
        try:
            self._step_functions.send_task_success(taskToken=task_token, output=output)
        except AWS_FAILURES as failure:
            return self._forgotten(failure)
        return True

    def failed(self, task_token: str, announcement: Announcement) -> bool:
        """Answer with the reason as the error and the event's detail as its cause. Likewise."""
        cause = json.dumps(announcement.as_detail(), ensure_ascii=False)
        try:
            self._step_functions.send_task_failure(
                taskToken=task_token, error=announcement.reason or "FAILED", cause=cause[:32_768]
            )
        except AWS_FAILURES as failure:
            return self._forgotten(failure)
        return True

    def _forgotten(self, failure: Exception) -> bool:
        code = code_of(failure)
        if code not in NOBODY_WAITS:
            raise CallbackFailed(code) from None
        self._nobody_waits(code)
        return False
