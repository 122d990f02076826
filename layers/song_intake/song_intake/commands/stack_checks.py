"""Checks of what was deployed: the stack with its parameters, its functions with their settings, and its token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from song_intake.app.environment import InvalidSettings, Settings
from song_intake.app.keep import KeepSettings
from song_intake.app.redrive import RedriveSettings
from song_intake.app.resolve import ResolveSettings
from song_intake.app.submit import SubmitSettings
from song_intake.app.switch import SwitchSettings
from song_intake.app.track import TrackSettings
from song_intake.app.webhook import WebhookSettings
from song_intake.commands.checkup import CheckFailed, Finding, failed, passed
from song_intake.domain.reason import Reason
from song_intake.music_api.credits import CREDITS_A_SONG

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from song_intake.commands.deployed import DeployedStack

SETTINGS: Final[Mapping[str, type[Settings]]] = {
    "SubmitSongFunctionName": SubmitSettings,
    "TrackSongFunctionName": TrackSettings,
    "KeepRecordingFunctionName": KeepSettings,
    "ReceiveWebhookFunctionName": WebhookSettings,
    "ResolveSongFunctionName": ResolveSettings,
    "RedriveLettersFunctionName": RedriveSettings,
    "SwitchIntakeFunctionName": SwitchSettings,
}
"""The settings of each function, by the output that names the function."""

_OF_A_CHOICE: Final[Mapping[str, frozenset[str]]] = {
    "Webhook": frozenset(("ReceiveWebhookFunctionName", "WebhookUrl")),
    "KeepRecordings": frozenset(("KeepRecordingFunctionName", "RecordingDeadLetterQueueUrl")),
}
"""The outputs that the stack lacks where this parameter is `off`."""

_NEEDED = frozenset(
    (
        *SETTINGS,
        "WebhookUrl",
        "SongRequestsQueueUrl",
        "DeadLetterQueueUrl",
        "RecordingDeadLetterQueueUrl",
        "LedgerTableName",
        "AlarmTopicArn",
        "UrgentAlarmTopicArn",
    )
)

# The webhook's function and the switch may each run beside those that read the queues.
_OTHER_FUNCTIONS = 2

_CAUSES: Final[Mapping[str, str]] = {
    Reason.TOKEN_NEVER_SET: "the secret is still empty: put the token there (functions/DEPLOY.md)",
    Reason.TOKEN_UNAVAILABLE: "the secret holds no token: put it there (functions/DEPLOY.md)",
    Reason.TOKEN_REFUSED: "the API refuses the token: put a valid one into the secret (functions/DEPLOY.md)",
    Reason.SECRETS_UNAVAILABLE: "Secrets Manager did not answer switch_intake: run the doctor again",
    Reason.CANNOT_CONNECT: "switch_intake cannot connect to the API: check MusicApiOrigin",
    Reason.RATE_LIMITED: "the API answers 429: run the doctor again in a few minutes",
}


def check_template(stack: DeployedStack) -> Finding:
    """Whether the stack is complete, and has the outputs of this release."""
    if not stack.status.endswith("_COMPLETE") or "ROLLBACK" in stack.status or "DELETE" in stack.status:
        return failed(f"the stack is {stack.status}: read its events, correct the cause, and deploy again")
    left_out = (names for choice, names in _OF_A_CHOICE.items() if stack.parameters.get(choice) == "off")
    if missing := sorted(_NEEDED.difference(stack.outputs, *left_out)):
        return failed(f"the stack has no output {', '.join(missing)}: deploy the template of this release")
    summary = stack.session.client("cloudformation").get_template_summary(StackName=stack.name)
    defaults = {one["ParameterKey"]: one.get("DefaultValue", "") for one in summary["Parameters"]}
    given = sorted(name for name, value in stack.parameters.items() if defaults.get(name) != value)
    return passed(f"{stack.status}; {len(defaults)} parameters, {_of_their_own(given)}")


def _of_their_own(given: list[str]) -> str:
    return f"not the default: {', '.join(given)}" if given else "each with its default"


def check_functions(stack: DeployedStack) -> Finding:
    """Whether each function is ready, its settings are those of this release, and the account lets them run."""
    functions = stack.functions
    present = {output: name for output, name in stack.outputs.items() if output in SETTINGS}
    for output, name in present.items():
        _check_function(functions, name, SETTINGS[output])
    allowed = functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    readers = (stack.outputs["SubmitSongFunctionName"], stack.outputs["TrackSongFunctionName"])
    needed = sum(_concurrency_of(functions, name) for name in readers) + _OTHER_FUNCTIONS
    if needed > allowed:
        return failed(
            f"the account runs {allowed} functions at a time, and the stack needs {needed}: raise the quota of "
            "Lambda's concurrent executions, or lower CreatesPerMinute or MaximumConcurrency"
        )
    ready = f"{len(present)} are ready with valid settings; they need {needed} of {allowed} concurrent executions"
    copiers = [name for output, name in present.items() if output == "KeepRecordingFunctionName"]
    copies = sum(_concurrency_of(functions, name) for name in copiers)
    if needed + copies > allowed:
        return passed(f"{ready}, and up to {copies} for recordings, which wait while the others run")
    return passed(ready)


def _check_function(functions: LambdaClient, name: str, settings: type[Settings]) -> None:
    configuration = functions.get_function_configuration(FunctionName=name)
    # Lambda sets a function that has long been idle to Inactive, and back at the next call.
    state, update = configuration.get("State", "Active"), configuration.get("LastUpdateStatus", "Successful")
    if state not in ("Active", "Inactive") or update != "Successful":
        raise CheckFailed(f"{name} is {state}, its last update {update}: read its page in the console, deploy again")
    try:
        settings.from_environment(configuration.get("Environment", {}).get("Variables", {}))
    except InvalidSettings as rule:
        raise CheckFailed(f"{name} has other settings than this release ({rule}): deploy this release") from None


def _concurrency_of(functions: LambdaClient, name: str) -> int:
    """How many invocations the event source mappings of a function run at the same time."""
    mappings = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    return sum(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0) for mapping in mappings)


def check_token(stack: DeployedStack) -> Finding:
    """Whether switch_intake reads the balance with the token of the secret."""
    response, is_done = stack.switch_intake("status")
    if not is_done:
        cause = response.get("error") or response.get("errorMessage") or response.get("refused")
        return failed(f"switch_intake failed ({cause}): read its log")
    account = cast("Mapping[str, object]", response["account"])
    if "credits" not in account:
        reason = str(account.get("reason"))
        return failed(_CAUSES.get(reason, f"the balance cannot be read ({reason}): read the log of switch_intake"))
    total = cast("int", account["credits"]) + cast("int", account["extra"])
    if total < CREDITS_A_SONG:
        return failed(f"the token is accepted, but {total} credits do not pay for a song: top up the account")
    return passed(f"accepted; the balance is {total} credits, which pay for {total // CREDITS_A_SONG} songs")
