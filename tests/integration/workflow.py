"""A Step Functions execution that waits for its song, on the local service."""

import json
import uuid
from dataclasses import dataclass
from typing import Any, Self

from tests.integration.bench import Bench
from tests.integration.bench_queue import BenchQueue
from tests.local.waiting import wait_for


def _policy(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


@dataclass(frozen=True, slots=True)
class Workflow:
    bench: Bench
    execution: str
    task_token: str

    @classmethod
    def waiting(cls, bench: Bench) -> Self:
        """An execution whose one task has put its token on a queue, and waits."""
        name = f"workflow-{uuid.uuid4().hex}"
        queue = BenchQueue(bench.sqs, name)
        iam, step_functions = bench.cloud.client("iam"), bench.cloud.client("stepfunctions")
        trust = _policy(Principal={"Service": "states.amazonaws.com"}, Action="sts:AssumeRole")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        may_send = _policy(Action="sqs:SendMessage", Resource=queue.arn)
        iam.put_role_policy(RoleName=name, PolicyName="sends", PolicyDocument=may_send)
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": queue.url, "MessageBody": {"task_token.$": "$$.Task.Token"}},
            "End": True,
        }
        definition = json.dumps({"StartAt": "Song", "States": {"Song": task}})
        machine = step_functions.create_state_machine(name=name, roleArn=role, definition=definition)["stateMachineArn"]
        execution = step_functions.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
        (message,) = wait_for(queue.messages, "the token of the waiting task")
        return cls(bench, execution, json.loads(message["Body"])["task_token"])

    def is_waiting(self) -> bool:
        return bool(self._described()["status"] == "RUNNING")

    def output(self) -> dict[str, Any]:
        """Its output, once it has succeeded."""
        described = self._ended("SUCCEEDED")
        output: dict[str, Any] = json.loads(described["output"])
        return output

    def error(self) -> tuple[str, dict[str, Any]]:
        """The error and its cause, once it has failed."""
        described = self._ended("FAILED")
        return described["error"], json.loads(described["cause"])

    def _ended(self, status: str) -> dict[str, Any]:
        wait_for(lambda: not self.is_waiting(), "the execution to end", 5)
        described = self._described()
        assert described["status"] == status
        return described

    def _described(self) -> dict[str, Any]:
        return dict(self.bench.cloud.client("stepfunctions").describe_execution(executionArn=self.execution))
