"""The switch of a deployed intake: its state, and the events that invoke it."""

import json
from typing import Any

from tests.local.intake import Intake
from tests.local.waiting import wait_for


def mapping_state(intake: Intake) -> str:
    """The state of the event source mapping that feeds submit_song, as Lambda reports it."""
    uuid = intake.stack.resources["SubmitSongRequests"]
    return intake.cloud.client("lambda").get_event_source_mapping(UUID=uuid)["State"]


def wait_for_mapping(intake: Intake, state: str, seconds: float = 60) -> None:
    wait_for(lambda: mapping_state(intake) == state, f"the intake to be {state}", seconds)


def switch(intake: Intake, command: str, by: str = "a test") -> dict[str, Any]:
    """The result of switch_intake for a command of an operator, or for that of the schedule: `check`."""
    response = intake.cloud.client("lambda").invoke(
        FunctionName=intake.stack.outputs["SwitchIntakeFunctionName"], Payload=json.dumps({"intake": command, "by": by})
    )
    result: dict[str, Any] = json.loads(response["Payload"].read())
    assert "FunctionError" not in response, result
    return result


def never_pause(intake: Intake) -> None:
    """From now on no account fault pauses the intake: for tests that plan account faults for single requests."""
    events = intake.cloud.client("events")
    bus = intake.stack.outputs["EventBusName"]
    for rule in events.list_rules(EventBusName=bus)["Rules"]:
        events.disable_rule(Name=rule["Name"], EventBusName=bus)


def remove_balance_checks(intake: Intake) -> None:
    """No scheduled balance checks: other tests count the requests that the shared stand-in receives."""
    intake.cloud.client("scheduler").delete_schedule(Name=intake.stack.resources["SwitchIntakeBalanceCheckSchedule"])
