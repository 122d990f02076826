"""Faults around a deployed function, caused from outside: denied permissions, another configuration, a crash."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.local.intake import Intake

_DENIAL = "denied-by-a-test"


@contextmanager
def configured(intake: Intake, **variables: str) -> Iterator[None]:
    """Within the context, submit_song has these variables in place of its own. Lambda starts processes anew."""
    functions = intake.cloud.client("lambda")
    name = intake.stack.outputs["SubmitSongFunctionName"]
    own = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**own, **variables}})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": own})


@contextmanager
def denied(intake: Intake, *actions: str, function: str = "SubmitSong") -> Iterator[None]:
    """Within the context, the service denies these actions to the function's role."""
    deny(intake, *actions, function=function)
    try:
        yield
    finally:
        allow(intake, function=function)


def deny(intake: Intake, *actions: str, function: str = "SubmitSong") -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": "*"}]}
    intake.cloud.client("iam").put_role_policy(
        RoleName=intake.stack.resources[f"{function}Role"], PolicyName=_DENIAL, PolicyDocument=json.dumps(policy)
    )


def allow(intake: Intake, function: str = "SubmitSong") -> None:
    role = intake.stack.resources[f"{function}Role"]
    intake.cloud.client("iam").delete_role_policy(RoleName=role, PolicyName=_DENIAL)


def kill_functions(intake: Intake) -> None:
    """Kills every running function process of the cloud, also in the middle of its work."""
    for process_id in intake.cloud.function_process_ids():
        os.kill(process_id, signal.SIGKILL)
