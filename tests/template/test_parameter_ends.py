"""Both ends of every parameter: CloudFormation refuses a value, or every function starts and the timeouts fit.

Each value is tried alone with the defaults of the other parameters, once with the default pace and once without a pace.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest

from song_intake.app.keep import KeepSettings
from song_intake.app.redrive import RedriveSettings
from song_intake.app.resolve import ResolveSettings
from song_intake.app.submit import SubmitSettings
from song_intake.app.switch import SwitchSettings
from song_intake.app.track import TrackSettings
from song_intake.app.webhook import WebhookSettings
from tests.template.transformed import (
    Json,
    Parameters,
    allows,
    ends,
    parameter_defaults,
    properties,
    refusals,
    resources,
    shipped,
)

PARAMETERS: dict[str, Json] = shipped()["Parameters"]
SETTINGS: dict[str, Callable[[Mapping[str, str]], object]] = {
    "SubmitSong": SubmitSettings.from_environment,
    "TrackSong": TrackSettings.from_environment,
    "KeepRecording": KeepSettings.from_environment,
    "ReceiveWebhook": WebhookSettings.from_environment,
    "ResolveSong": ResolveSettings.from_environment,
    "RedriveLetters": RedriveSettings.from_environment,
    "SwitchIntake": SwitchSettings.from_environment,
}
# What is left out if a parameter is off.
LEFT_OUT = {("Webhook", "off"): "ReceiveWebhook", ("KeepRecordings", "off"): "KeepRecording"}
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LONGEST_TIMEOUT = 900
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
LONGEST_VISIBILITY = 43200

# What the rules refuse of a value alone. None of these can be the longer end of a parameter.
REFUSED_ALWAYS: dict[str, tuple[set[int], str]] = {
    "BatchSize": ({100}, "LargeBatchesNeedAWindow"),
    "TrackTimeoutSeconds": ({10, 20}, "TrackTimeoutHoldsAPoll"),
    "ChecksVisibilityTimeoutSeconds": ({10, 20, 180}, "ChecksVisibilityHoldsSixTrackTimeouts"),
    "RetryCapSeconds": ({1}, "ShortRetryCapNeedsAShortBase"),
}
REFUSED_WITHOUT_A_PACE: dict[str, tuple[set[int], str]] = {
    "FunctionTimeoutSeconds": ({9, 20}, "FunctionTimeoutHoldsACreate"),
    "LeaseSeconds": ({9, 20, 75}, "LeaseHoldsTheFunctionTimeout"),
    "VisibilityTimeoutSeconds": ({9, 20, 360}, "VisibilityHoldsSixFunctionTimeouts"),
}


class End(NamedTuple):
    name: str
    value: int | str
    creates_per_minute: int

    @property
    def parameters(self) -> Parameters:
        return {"CreatesPerMinute": self.creates_per_minute, self.name: self.value}

    @property
    def refused_by(self) -> list[str]:
        refused = REFUSED_ALWAYS if self.creates_per_minute else REFUSED_ALWAYS | REFUSED_WITHOUT_A_PACE
        values, rule = refused.get(self.name, (set(), ""))
        return [rule] if self.value in values else []


PACES = (int(parameter_defaults()["CreatesPerMinute"]), 0)
ENDS = [End(name, value, pace) for name in PARAMETERS for value in ends(name) for pace in PACES]
ACCEPTED = [end for end in ENDS if not end.refused_by]


def named(end: End) -> str:
    return f"{end.name}={end.value}-{end.creates_per_minute}-a-minute"


def environment(function: str, parameters: Parameters) -> dict[str, str]:
    """As CloudFormation sets it. A value that only AWS knows (an ARN, a URL) is some text."""
    variables: Json = properties(function, **parameters)["Environment"]["Variables"]
    return {name: str(value) for name, value in variables.items()}


def seconds(function: str, parameters: Parameters, *names: str) -> int:
    """The sum of some of a function's variables."""
    variables = environment(function, parameters)
    return sum(int(variables[f"{name}_SECONDS"]) for name in names)


@pytest.mark.parametrize("end", ENDS, ids=named)
def test_the_rules_refuse_what_would_not_work_and_nothing_else(end: End) -> None:
    assert refusals(**end.parameters) == end.refused_by


@pytest.mark.parametrize("end", ACCEPTED, ids=named)
def test_every_function_starts(end: End) -> None:
    created = SETTINGS.keys() & resources(**end.parameters).keys()
    assert created == SETTINGS.keys() - {LEFT_OUT.get((end.name, str(end.value)))}
    for function in created:
        SETTINGS[function](environment(function, end.parameters))


def test_every_function_of_the_template_is_started() -> None:
    functions = {name for name, resource in resources().items() if resource["Type"] == "AWS::Lambda::Function"}
    assert functions == SETTINGS.keys()


@pytest.mark.parametrize("end", ACCEPTED, ids=named)
def test_a_create_and_a_poll_end_before_the_invocation(end: End) -> None:
    given = end.parameters
    timeout = properties("SubmitSong", **given)["Timeout"]
    guard = seconds("SubmitSong", given, "CREATE_DEADLINE", "SETTLE_MARGIN")
    assert seconds("SubmitSong", given, "CREATE_DEADLINE") < guard < timeout
    assert guard + seconds("SubmitSong", given, "CONNECT_TIMEOUT") < timeout <= LONGEST_TIMEOUT
    assert seconds("SubmitSong", given, "FUNCTION_TIMEOUT") == timeout
    poll = seconds("TrackSong", given, "CONNECT_TIMEOUT", "POLL_DEADLINE", "SETTLE_MARGIN")
    assert poll < properties("TrackSong", **given)["Timeout"] <= LONGEST_TIMEOUT
    balance = seconds("SwitchIntake", given, "CONNECT_TIMEOUT", "POLL_DEADLINE")
    assert 2 * balance + 60 < properties("SwitchIntake", **given)["Timeout"]


@pytest.mark.parametrize("end", ACCEPTED, ids=named)
def test_a_claim_and_a_hidden_message_outlive_the_invocation(end: End) -> None:
    given = end.parameters
    timeout = properties("SubmitSong", **given)["Timeout"]
    visibility = {queue: properties(queue, **given)["VisibilityTimeout"] for queue in ("SongRequests", "SongChecks")}
    assert timeout <= seconds("SubmitSong", given, "LEASE") <= visibility["SongRequests"]
    assert 6 * timeout <= visibility["SongRequests"] <= LONGEST_VISIBILITY
    assert 6 * properties("TrackSong", **given)["Timeout"] <= visibility["SongChecks"] <= LONGEST_VISIBILITY
    assert timeout + seconds("SubmitSong", given, "RESOLUTION_WINDOW") < LONGEST_VISIBILITY


@pytest.mark.parametrize("end", ACCEPTED, ids=named)
def test_no_request_expires_while_it_is_retried(end: End) -> None:
    queue = properties("SongRequests", **end.parameters)
    longest_wait = max(seconds("SubmitSong", end.parameters, "RETRY_CAP"), queue["VisibilityTimeout"])
    assert queue["RedrivePolicy"]["maxReceiveCount"] * longest_wait < queue["MessageRetentionPeriod"]


@pytest.mark.parametrize("name", [name for name in PARAMETERS if name != "CreatesPerMinute"])
def test_a_parameter_is_tried_at_more_than_its_default(name: str) -> None:
    texts = {"AlarmEmail", "MusicApiOrigin", "LedgerTableName", "SenderTopicArns", "SenderRuleArns", "SenderPrincipals"}
    texts |= {"RecordingBucketName", "RecordingHosts", "KmsKeyArn"}
    assert (len(ends(name)) > 1) is (name not in texts)
    assert all(allows(name, value) for value in ends(name))
