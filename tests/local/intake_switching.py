"""The switch of a deployed intake, from outside: how it stands, and the events that it is invoked with."""

import json
from typing import Any

from tests.local.intake import Intake
from tests.local.waiting import wait_for


def mapping_state(intake: Intake) -> str:
    """Whether requests are fed to submit_song, in Lambda's words."""
    uuid = intake.stack.resources["SubmitSongRequests"]
    return intake.cloud.client("lambda").get_event_source_mapping(UUID=uuid)["State"]


def wait_for_mapping(intake: Intake, state: str, seconds: float = 20) -> None:
    wait_for(lambda: mapping_state(intake) == state, f"the intake to be {state}", seconds)


def say(intake: Intake, word: str, by: str = "a test") -> dict[str, Any]:
    """What switch_intake answers to an operator's word, or to that of the schedule: `look`."""
    answer = intake.cloud.client("lambda").invoke(
        FunctionName=intake.stack.outputs["SwitchIntakeFunctionName"], Payload=json.dumps({"intake": word, "by": by})
    )
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return said


def leave_it_on(intake: Intake) -> None:
    """No fault switches it off: for tests in which the account's answers are those of single requests."""
    events = intake.cloud.client("events")
    bus = intake.stack.outputs["EventBusName"]
    for rule in events.list_rules(EventBusName=bus)["Rules"]:
        events.disable_rule(Name=rule["Name"], EventBusName=bus)


def without_looks(intake: Intake) -> None:
    """Nobody looks at the account by the clock: whoever shares the stand-in counts the requests that it gets."""
    intake.cloud.client("scheduler").delete_schedule(Name=intake.stack.resources["SwitchIntakeBalanceCheckSchedule"])
