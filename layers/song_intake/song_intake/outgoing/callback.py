"""The callback to a Step Functions task that waits for its song: for requests with a `task_token`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.domain.decision import SideEffectFailed
from song_intake.domain.reason import Reason

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from song_intake.outgoing.events import SongEvent

# Each means that no task waits any more: the task was completed or timed out, or its execution ended.
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
NO_TASK_CODES = frozenset(("TaskDoesNotExist", "TaskTimedOut", "InvalidToken"))

# Characters. https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html
LONGEST_CAUSE = 32_768


class TaskCallback:
    """Safe to share between threads. Both methods return whether a task was waiting, and raise SideEffectFailed."""

    def __init__(self, step_functions: SFNClient, on_no_task: Callable[[str], None] = lambda _code: None) -> None:
        """on_no_task: called with AWS's error code if no task waits any more; the callback is then dropped."""
        self._step_functions = step_functions
        self._on_no_task = on_no_task

    def succeeded(self, task_token: str, event: SongEvent) -> bool:
        """Complete the task with the event's detail as its output."""
        output = json.dumps(event.as_detail(), ensure_ascii=False)
        try:
            self._step_functions.send_task_success(taskToken=task_token, output=output)
        except AWS_FAILURES as failure:
            return self._dropped(failure)
        return True

    def failed(self, task_token: str, event: SongEvent) -> bool:
        """Fail the task with the reason as its error, and the event's detail as its cause."""
        cause = json.dumps(event.as_detail(), ensure_ascii=False)[:LONGEST_CAUSE]
        try:
            self._step_functions.send_task_failure(taskToken=task_token, error=event.reason or "FAILED", cause=cause)
        except AWS_FAILURES as failure:
            return self._dropped(failure)
        return True

    def _dropped(self, failure: Exception) -> bool:
        code = code_of(failure)
        if code not in NO_TASK_CODES:
            raise SideEffectFailed(Reason.CALLBACK_UNAVAILABLE, code) from None
        self._on_no_task(code)
        return False
