"""The callback to a Step Functions task that waits for its song: for requests with a `task_token`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from song_intake.aws.failure import AWS_FAILURES, code_of, is_refusal
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
    """Safe to share between threads. Both methods return whether a task was waiting, and raise SideEffectFailed.

    Step Functions may refuse an answer for good, for example because it may not use the key that encrypts the data of
    the execution. Then the task is failed without an error and a cause, which need no key, so that it does not wait on.
    """

    def __init__(
        self,
        step_functions: Callable[[], SFNClient],
        on_no_task: Callable[[str], None] = lambda _code: None,
        on_refused: Callable[[str], None] = lambda _code: None,
    ) -> None:
        """step_functions: called for each callback. Few requests have a task, so the client is made for the first one.

        The others are called with AWS's error code, and the callback is dropped.

        on_no_task: no task waits any more. on_refused: the answer was refused for good.
        """
        self._step_functions = step_functions
        self._on_no_task = on_no_task
        self._on_refused = on_refused

    def succeeded(self, task_token: str, event: SongEvent) -> bool:
        """Complete the task with the event's detail as its output."""
        output = json.dumps(event.as_detail(), ensure_ascii=False)
        send = self._step_functions().send_task_success
        return self._answered(task_token, lambda: send(taskToken=task_token, output=output))

    def failed(self, task_token: str, event: SongEvent) -> bool:
        """Fail the task with the reason as its error, and the event's detail as its cause."""
        cause = json.dumps(event.as_detail(), ensure_ascii=False)[:LONGEST_CAUSE]
        error = event.reason or "FAILED"
        send = self._step_functions().send_task_failure
        return self._answered(task_token, lambda: send(taskToken=task_token, error=error, cause=cause))

    def _answered(self, task_token: str, send: Callable[[], object]) -> bool:
        refusal = self._refusal_of(send)
        if refusal is None:
            return True
        if refusal in NO_TASK_CODES:
            self._on_no_task(refusal)
            return False
        bare = self._refusal_of(lambda: self._step_functions().send_task_failure(taskToken=task_token))
        self._on_refused(refusal)
        return bare is None

    def _refusal_of(self, send: Callable[[], object]) -> str | None:
        """AWS's error code if the call was refused for good; None if it succeeded. Raises SideEffectFailed."""
        try:
            send()
        except AWS_FAILURES as failure:
            code = code_of(failure)
            if code in NO_TASK_CODES or is_refusal(failure):
                return code
            raise SideEffectFailed(Reason.CALLBACK_UNAVAILABLE, code) from None
        return None
