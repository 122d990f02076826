import json

import pytest

from song_intake.settings import InvalidSettings, Settings
from tests.template.transformed import PROJECT, arn_of, properties, resources, resources_of, shipped

MAPPING = "SubmitSongRequests"
VARIABLES = properties("SubmitSong")["Environment"]["Variables"]
REFERENCES = {
    "API_TOKEN_SECRET_ARN": {"Fn::GetAtt": ["ApiToken", "Id"]},
    "LEDGER_TABLE": {"Ref": "Ledger"},
    "SONG_REQUESTS_QUEUE_URL": {"Ref": "SongRequests"},
    "DEAD_LETTER_QUEUE_URL": {"Ref": "SongDeadLetters"},
    "POWERTOOLS_SERVICE_NAME": {"Ref": "AWS::StackName"},
    "POWERTOOLS_METRICS_NAMESPACE": "SongIntake",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
READ_BY_POWERTOOLS = {name for name in VARIABLES if name.startswith("POWERTOOLS_")}


def test_the_mapping_feeds_the_requests_to_submit_song() -> None:
    assert list(resources_of("AWS::Lambda::EventSourceMapping")) == [MAPPING]
    assert properties(MAPPING)["EventSourceArn"] == arn_of("SongRequests")
    assert properties(MAPPING)["FunctionName"] == {"Ref": "SubmitSong"}


def test_the_mapping_takes_ten_at_a_time_and_lets_one_fail_alone() -> None:
    assert properties(MAPPING)["BatchSize"] == 10
    assert properties(MAPPING)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_mapping_does_not_flood_the_vendor() -> None:
    assert properties(MAPPING)["ScalingConfig"] == {"MaximumConcurrency": 5}


def test_the_mapping_waits_for_no_batch_to_fill() -> None:
    assert "MaximumBatchingWindowInSeconds" not in properties(MAPPING)


@pytest.mark.parametrize(("name", "reference"), REFERENCES.items())
def test_the_environment_refers_to_what_the_stack_has(name: str, reference: object) -> None:
    assert VARIABLES[name] == reference


@pytest.mark.parametrize("name", sorted(VARIABLES.keys() - READ_BY_POWERTOOLS))
def test_the_function_reads_every_variable_it_is_given(name: str) -> None:
    environment = {given: str(value) for given, value in VARIABLES.items() if given != name}
    with pytest.raises(InvalidSettings, match=f"{name} is not set"):
        Settings.from_environment(environment)


def test_the_handler_is_where_the_template_says() -> None:
    function = shipped()["Resources"]["SubmitSong"]["Properties"]
    module, name = function["Handler"].split(".")
    source = (PROJECT / function["CodeUri"] / f"{module}.py").read_text(encoding="utf-8")
    assert f"def {name}(" in source


def test_the_function_writes_to_the_log_group_with_a_retention() -> None:
    assert properties("SubmitSong")["LoggingConfig"] == {"LogGroup": {"Ref": "SubmitSongLogGroup"}, "LogFormat": "Text"}
    assert properties("SubmitSongLogGroup") == {"RetentionInDays": 30}


def test_the_secret_starts_empty_and_outlives_its_stack() -> None:
    secret = resources()["ApiToken"]
    assert json.loads(secret["Properties"]["SecretString"]) == {"api_token": ""}
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == ("Retain", "Retain")
