"""Step Functions in memory: the result of each task, by its task token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.properties.simulation.dynamodb import failed, no_answer, unavailable
from tests.properties.simulation.faults import Fault, Step, Steps


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """`detail` is the detail of the event: the output of a success, the cause of a failure."""

    error: str | None
    detail: Mapping[str, Any]


@dataclass(slots=True)
class Workflows:
    """The first answer of each task. Step Functions rejects any other."""

    answers: dict[str, TaskAnswer] = field(default_factory=dict)
    repeats: list[str] = field(default_factory=list)
    """The tokens of the answers that were rejected."""

    def accept(self, task_token: str, answer: TaskAnswer, operation: str) -> None:
        if task_token in self.answers:
            self.repeats.append(task_token)
            raise failed("TaskTimedOut", operation)
        self.answers[task_token] = answer


class SimulatedStepFunctions:
    """The Step Functions client of the function."""

    def __init__(self, steps: Steps, workflows: Workflows) -> None:
        self._steps = steps
        self._workflows = workflows

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803 - boto3's names
        self._send(taskToken, TaskAnswer(None, json.loads(output)), "SendTaskSuccess")

    def send_task_failure(self, *, taskToken: str, error: str | None = None, cause: str = "{}") -> None:  # noqa: N803
        self._send(taskToken, TaskAnswer(error, json.loads(cause)), "SendTaskFailure")

    def _send(self, task_token: str, answer: TaskAnswer, operation: str) -> None:
        fault = self._steps.before(Step.CALLBACK)
        if fault is Fault.NOT_TAKEN:
            raise unavailable(operation)
        # The key of the execution's data may not be used. An answer without data needs no key.
        if fault is Fault.FORBIDDEN and answer.detail:
            raise failed("KmsAccessDeniedException", operation)
        self._workflows.accept(task_token, answer, operation)
        if fault is Fault.ANSWER_LOST:
            raise no_answer()
