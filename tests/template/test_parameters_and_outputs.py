import re

import pytest

from tests.template.transformed import Json, shipped

PARAMETERS: dict[str, Json] = shipped()["Parameters"]
NUMBERS = [name for name, parameter in PARAMETERS.items() if "MinValue" in parameter or "MaxValue" in parameter]
PATTERNS = [name for name, parameter in PARAMETERS.items() if "AllowedPattern" in parameter]
CHOICES = [name for name, parameter in PARAMETERS.items() if "AllowedValues" in parameter]
OUTPUTS: dict[str, Json] = shipped()["Outputs"]
OUTPUTS_THAT_CALLERS_NEED = {
    "SongRequestsQueueUrl",
    "SongRequestsQueueArn",
    "DeadLetterQueueUrl",
    "DeadLetterQueueArn",
    "SongChecksQueueUrl",
    "SongChecksQueueArn",
    "CheckDeadLetterQueueUrl",
    "CheckDeadLetterQueueArn",
    "SongRecordingsQueueUrl",
    "SongRecordingsQueueArn",
    "RecordingDeadLetterQueueUrl",
    "RecordingDeadLetterQueueArn",
    "RecordingBucketName",
    "EventBusName",
    "EventBusArn",
    "WebhookUrl",
    "LedgerTableName",
    "ApiTokenSecretArn",
    "SubmitSongFunctionName",
    "SubmitSongLogGroup",
    "TrackSongFunctionName",
    "TrackSongLogGroup",
    "KeepRecordingFunctionName",
    "KeepRecordingLogGroup",
    "ReceiveWebhookFunctionName",
    "ReceiveWebhookLogGroup",
    "ResolveSongFunctionName",
    "ResolveSongLogGroup",
    "RedriveLettersFunctionName",
    "RedriveLettersLogGroup",
    "SwitchIntakeFunctionName",
    "SwitchIntakeLogGroup",
    "SongClientLayerArn",
    "SenderPolicyArn",
    "ReaderPolicyArn",
    "OperatorPolicyArn",
    "DoctorPolicyArn",
    "AlarmTopicArn",
    "UrgentAlarmTopicArn",
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_described(name: str) -> None:
    assert len(PARAMETERS[name]["Description"]) > 30


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_bounded_in_one_way(name: str) -> None:
    given = shipped()["Parameters"][name].keys()
    ways = ({"MinValue", "MaxValue"}, {"AllowedPattern"}, {"AllowedValues"})
    assert len([way for way in ways if way & given]) == 1


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_has_both_bounds_and_states_them(name: str) -> None:
    number = shipped()["Parameters"][name]
    assert number["Type"] == "Number"
    assert number["MinValue"] <= number["Default"] <= number["MaxValue"]
    assert f"{number['MinValue']} to {number['MaxValue']}" in number["ConstraintDescription"]


@pytest.mark.parametrize("name", PATTERNS)
def test_the_default_of_a_text_matches_its_pattern_which_is_explained(name: str) -> None:
    text = PARAMETERS[name]
    assert re.search(text["AllowedPattern"], text["Default"])
    assert text["ConstraintDescription"].startswith("must be ")


@pytest.mark.parametrize("name", CHOICES)
def test_the_default_of_a_choice_is_one_of_its_values(name: str) -> None:
    assert PARAMETERS[name]["Default"] in PARAMETERS[name]["AllowedValues"]


@pytest.mark.parametrize(
    "origin",
    [
        "http://api.aimusicapi.ai",
        "https://api.aimusicapi.ai/",
        "https://api.aimusicapi.ai/api",
        "https://user@api.aimusicapi.ai",
        "https://api.aimusicapi.ai?x",
        "https://",
    ],
)
def test_the_token_cannot_be_pointed_at_anything_but_an_https_origin(origin: str) -> None:
    assert not re.search(shipped()["Parameters"]["MusicApiOrigin"]["AllowedPattern"], origin)


def test_the_outputs_are_those_that_callers_need() -> None:
    assert set(OUTPUTS) == OUTPUTS_THAT_CALLERS_NEED


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_is_described(name: str) -> None:
    assert len(OUTPUTS[name]["Description"]) > 15


def test_an_output_is_understood_without_its_neighbours_since_the_console_sorts_them() -> None:
    descriptions = [output["Description"] for output in OUTPUTS.values()]
    assert len(set(descriptions)) == len(descriptions)
    assert [text for text in descriptions if text.startswith(("That ", "Its ")) or " of that " in text] == []
