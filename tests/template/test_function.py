import pytest

from song_intake.app.environment import InvalidSettings, Settings
from song_intake.app.keep import KeepSettings
from song_intake.app.redrive import RedriveSettings
from song_intake.app.resolve import ResolveSettings
from song_intake.app.submit import SubmitSettings
from song_intake.app.switch import SwitchSettings
from song_intake.app.track import TrackSettings
from song_intake.app.webhook import WebhookSettings
from tests.template.transformed import Json, arn_of, properties, resources, resources_of, shipped, transformed

SETTINGS: dict[str, type[Settings]] = {
    "SubmitSong": SubmitSettings,
    "TrackSong": TrackSettings,
    "KeepRecording": KeepSettings,
    "ReceiveWebhook": WebhookSettings,
    "ResolveSong": ResolveSettings,
    "RedriveLetters": RedriveSettings,
    "SwitchIntake": SwitchSettings,
}
FUNCTIONS = sorted(resources_of("AWS::Lambda::Function"))
MAPPINGS = {
    "SubmitSongRequests": ("SongRequests", "SubmitSong"),
    "TrackSongChecks": ("SongChecks", "TrackSong"),
    "KeepRecordingRecordings": ("SongRecordings", "KeepRecording"),
}
# Those whose batches the parameters set.
SIZED = ("SubmitSongRequests", "TrackSongChecks")


def ref(name: str) -> Json:
    return {"Ref": name}


def if_paced(column: str, otherwise: str) -> Json:
    return {"Fn::If": ["IsPaced", {"Fn::FindInMap": ["Paces", ref("CreatesPerMinute"), column]}, ref(otherwise)]}


def if_kept(resource: str) -> Json:
    return {"Fn::If": ["KeepsRecordings", ref(resource), ""]}


def if_webhook(resource: str, attribute: str) -> Json:
    return {"Fn::If": ["HasWebhook", {"Fn::GetAtt": [resource, attribute]}, ""]}


VARIABLES_OF_ALL = {
    "LEDGER_TABLE": {"Fn::If": ["CreatesLedger", ref("Ledger"), ref("LedgerTableName")]},
    "LEASE_SECONDS": if_paced("Lease", "LeaseSeconds"),
    "KEEP_DAYS": ref("KeepDays"),
    "SONG_CHECKS_QUEUE_URL": ref("SongChecks"),
    "POWERTOOLS_SERVICE_NAME": ref("AWS::StackName"),
    "POWERTOOLS_METRICS_NAMESPACE": "SongIntake",
    "POWERTOOLS_LOG_LEVEL": ref("LogLevel"),
}
VARIABLES_OF: dict[str, Json] = {
    "SubmitSong": {
        "MUSIC_API_ORIGIN": ref("MusicApiOrigin"),
        "API_TOKEN_SECRET_ARN": {"Fn::GetAtt": ["ApiToken", "Id"]},
        "SONG_REQUESTS_QUEUE_URL": ref("SongRequests"),
        "DEAD_LETTER_QUEUE_URL": ref("SongDeadLetters"),
        "CREATE_DEADLINE_SECONDS": ref("CreateDeadlineSeconds"),
        "CONNECT_TIMEOUT_SECONDS": ref("ConnectTimeoutSeconds"),
        "SETTLE_MARGIN_SECONDS": ref("SettleMarginSeconds"),
        "FUNCTION_TIMEOUT_SECONDS": if_paced("Timeout", "FunctionTimeoutSeconds"),
        "MAX_RECEIVE_COUNT": ref("MaxReceiveCount"),
        "RETRY_BASE_SECONDS": ref("RetryBaseSeconds"),
        "RETRY_CAP_SECONDS": ref("RetryCapSeconds"),
        "BATCH_SIZE": if_paced("BatchSize", "BatchSize"),
        "CREATES_PER_MINUTE": ref("CreatesPerMinute"),
        "CREATES_PER_DAY": ref("CreatesPerDay"),
        "CREATES_PER_DAY_AND_SENDER": ref("CreatesPerDayAndSender"),
        "EVENT_BUS_NAME": ref("SongEvents"),
        "WEBHOOK_URL": if_webhook("WebhookApi", "ApiEndpoint"),
        "SIGNING_KEY_SECRET_ARN": {"Fn::GetAtt": ["WebhookKey", "Id"]},
        "RESOLUTION_WINDOW_SECONDS": ref("ResolutionWindowSeconds"),
        "FIRST_CHECK_SECONDS": ref("FirstCheckSeconds"),
    },
    "TrackSong": {
        "MUSIC_API_ORIGIN": ref("MusicApiOrigin"),
        "API_TOKEN_SECRET_ARN": {"Fn::GetAtt": ["ApiToken", "Id"]},
        "SIGNING_KEY_SECRET_ARN": {"Fn::GetAtt": ["WebhookKey", "Id"]},
        "CHECK_DEAD_LETTER_QUEUE_URL": ref("SongCheckDeadLetters"),
        "SONG_RECORDINGS_QUEUE_URL": if_kept("SongRecordings"),
        "EVENT_BUS_NAME": ref("SongEvents"),
        "CONNECT_TIMEOUT_SECONDS": ref("ConnectTimeoutSeconds"),
        "POLL_DEADLINE_SECONDS": ref("PollDeadlineSeconds"),
        "SETTLE_MARGIN_SECONDS": ref("SettleMarginSeconds"),
        "FUNCTION_TIMEOUT_SECONDS": ref("TrackTimeoutSeconds"),
        "TRACKING_HOURS": ref("TrackingHours"),
        "UNKNOWN_TASK_MINUTES": ref("UnknownTaskMinutes"),
        "FIRST_CHECK_SECONDS": ref("FirstCheckSeconds"),
        "CHECK_CAP_SECONDS": ref("CheckCapSeconds"),
        "BATCH_SIZE": ref("BatchSize"),
    },
    "KeepRecording": {
        "SIGNING_KEY_SECRET_ARN": {"Fn::GetAtt": ["WebhookKey", "Id"]},
        "SONG_RECORDINGS_QUEUE_URL": ref("SongRecordings"),
        "RECORDING_DEAD_LETTER_QUEUE_URL": ref("SongRecordingDeadLetters"),
        "EVENT_BUS_NAME": ref("SongEvents"),
        "KEEP_RECORDINGS": ref("KeepRecordings"),
        "RECORDING_BUCKET": {"Fn::If": ["CreatesRecordingBucket", ref("RecordingBucket"), ref("RecordingBucketName")]},
        "RECORDING_HOSTS": ref("RecordingHosts"),
        "LARGEST_RECORDING_MIB": ref("LargestRecordingMiB"),
        "SETTLE_MARGIN_SECONDS": ref("SettleMarginSeconds"),
        "FUNCTION_TIMEOUT_SECONDS": 300,
    },
    "ReceiveWebhook": {
        "SIGNING_KEY_SECRET_ARN": {"Fn::GetAtt": ["WebhookKey", "Id"]},
    },
    "ResolveSong": {
        "MUSIC_API_ORIGIN": ref("MusicApiOrigin"),
        "API_TOKEN_SECRET_ARN": {"Fn::GetAtt": ["ApiToken", "Id"]},
        "CONNECT_TIMEOUT_SECONDS": ref("ConnectTimeoutSeconds"),
        "POLL_DEADLINE_SECONDS": ref("PollDeadlineSeconds"),
        "EVENT_BUS_NAME": ref("SongEvents"),
        "FUNCTION_TIMEOUT_SECONDS": if_paced("Timeout", "FunctionTimeoutSeconds"),
        "FIRST_CHECK_SECONDS": ref("FirstCheckSeconds"),
    },
    "RedriveLetters": {
        "SIGNING_KEY_SECRET_ARN": {"Fn::GetAtt": ["WebhookKey", "Id"]},
        "SONG_REQUESTS_QUEUE_URL": ref("SongRequests"),
        "DEAD_LETTER_QUEUE_URL": ref("SongDeadLetters"),
        "CHECK_DEAD_LETTER_QUEUE_URL": ref("SongCheckDeadLetters"),
        "SONG_RECORDINGS_QUEUE_URL": if_kept("SongRecordings"),
        "RECORDING_DEAD_LETTER_QUEUE_URL": if_kept("SongRecordingDeadLetters"),
    },
    "SwitchIntake": {
        "MUSIC_API_ORIGIN": ref("MusicApiOrigin"),
        "API_TOKEN_SECRET_ARN": {"Fn::GetAtt": ["ApiToken", "Id"]},
        "SIGNING_KEY_SECRET_ARN": {"Fn::GetAtt": ["WebhookKey", "Id"]},
        "INTAKE_MAPPING_UUID": ref("SubmitSongRequests"),
        "CONNECT_TIMEOUT_SECONDS": ref("ConnectTimeoutSeconds"),
        "POLL_DEADLINE_SECONDS": ref("PollDeadlineSeconds"),
        "CREATES_PER_DAY": ref("CreatesPerDay"),
    },
}
VARIABLES = properties("SubmitSong")["Environment"]["Variables"]
READ_BY_POWERTOOLS = {name for name in VARIABLES if name.startswith("POWERTOOLS_")}
EMPTY_WITHOUT_WEBHOOK = {"WEBHOOK_URL"}


def test_a_mapping_feeds_a_queue_to_the_function_that_reads_it() -> None:
    mappings = resources_of("AWS::Lambda::EventSourceMapping")
    fed = {name: (mapping["EventSourceArn"], mapping["FunctionName"]) for name, mapping in mappings.items()}
    assert fed == {name: (arn_of(queue), ref(function)) for name, (queue, function) in MAPPINGS.items()}


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_mapping_reports_each_failed_message(mapping: str) -> None:
    assert properties(mapping)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_mapping_drops_no_message_by_a_filter(mapping: str) -> None:
    assert "FilterCriteria" not in properties(mapping)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_deployment_neither_pauses_a_mapping_nor_ends_a_pause(mapping: str) -> None:
    assert "Enabled" not in properties(mapping)


@pytest.mark.parametrize("function", [function for _, function in MAPPINGS.values()])
def test_lambda_does_not_stop_a_function_that_sends_to_its_own_queue(function: str) -> None:
    assert properties(function)["RecursiveLoop"] == "Allow"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_takes_concurrency_from_the_others(function: str) -> None:
    # A reservation below the MaximumConcurrency of a mapping would throttle it as well.
    assert "ReservedConcurrentExecutions" not in properties(function)


@pytest.mark.parametrize("mapping", SIZED)
def test_without_a_pace_a_mapping_has_batches_of_ten_and_limited_concurrency(mapping: str) -> None:
    unpaced = properties(mapping, CreatesPerMinute=0)
    assert (unpaced["BatchSize"], unpaced["ScalingConfig"]) == (10, {"MaximumConcurrency": 5})


@pytest.mark.parametrize("mapping", SIZED)
def test_a_batch_may_be_larger_than_ten_with_a_batching_window(mapping: str) -> None:
    large = properties(mapping, CreatesPerMinute=0, BatchSize=100, BatchingWindowSeconds=1)
    assert (large["BatchSize"], large["MaximumBatchingWindowInSeconds"]) == (100, 1)


def test_a_larger_batch_is_refused_without_a_batching_window() -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"""
    rule = shipped()["Rules"]["LargeBatchesNeedAWindow"]
    fits = {"Fn::Contains": [[str(size) for size in range(1, 11)], {"Ref": "BatchSize"}]}
    assert rule["RuleCondition"] == {"Fn::Not": [fits]}
    no_window = {"Fn::Equals": [{"Ref": "BatchingWindowSeconds"}, "0"]}
    assert [one["Assert"] for one in rule["Assertions"]] == [{"Fn::Not": [no_window]}]


def test_a_song_at_a_time_has_its_recordings_copied() -> None:
    mapping = properties("KeepRecordingRecordings")
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (1, {"MaximumConcurrency": 5})


def test_a_paced_mapping_has_no_batching_window() -> None:
    paced = properties("SubmitSongRequests", CreatesPerMinute=20, BatchingWindowSeconds=60)
    assert paced["MaximumBatchingWindowInSeconds"] == 0


def test_the_mapping_of_checks_has_no_pace() -> None:
    assert properties("TrackSongChecks") == properties("TrackSongChecks", CreatesPerMinute=0)


@pytest.mark.parametrize("mapping", SIZED)
def test_by_default_a_mapping_has_no_batching_window(mapping: str) -> None:
    assert properties(mapping)["MaximumBatchingWindowInSeconds"] == 0


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_gets_these_variables_and_no_others(function: str) -> None:
    given = transformed()["Resources"][function]["Properties"]["Environment"]["Variables"]
    assert given == VARIABLES_OF_ALL | VARIABLES_OF[function]


@pytest.mark.parametrize("name", sorted(VARIABLES.keys() - READ_BY_POWERTOOLS - EMPTY_WITHOUT_WEBHOOK))
def test_submit_song_reads_every_variable_it_is_given(name: str) -> None:
    environment = {given: str(value) for given, value in VARIABLES.items() if given != name}
    with pytest.raises(InvalidSettings, match=f"{name} is not set"):
        SubmitSettings.from_environment(environment)


def test_the_functions_read_every_variable_that_the_template_sets() -> None:
    given = {function: VARIABLES_OF.get(function, {}).keys() for function in SETTINGS}
    unread = {function: sorted(names - SETTINGS[function].variables()) for function, names in given.items()}
    assert not any(unread.values()), unread
    read_by_some = frozenset[str]().union(*(settings.variables() for settings in SETTINGS.values()))
    assert VARIABLES_OF_ALL.keys() - READ_BY_POWERTOOLS <= read_by_some


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_writes_to_its_own_log_group_with_a_retention(function: str) -> None:
    log_group = f"{function}LogGroup"
    assert properties(function)["LoggingConfig"] == {"LogGroup": ref(log_group), "LogFormat": "Text"}
    assert properties(log_group) == {"RetentionInDays": 30}


def test_no_log_is_kept_for_ever() -> None:
    groups = resources_of("AWS::Logs::LogGroup")
    assert {name for name, group in groups.items() if group["RetentionInDays"] == 30} == set(groups)


def test_the_log_that_may_hold_the_only_record_of_a_song_outlives_its_stack() -> None:
    log_group = resources()["SubmitSongLogGroup"]
    assert (log_group["DeletionPolicy"], log_group["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


@pytest.mark.parametrize("function", ["ResolveSong", "RedriveLetters"])
def test_only_an_operator_invokes_these(function: str) -> None:
    assert "Events" not in shipped()["Resources"][function]["Properties"]
    permitted = [permission["FunctionName"] for permission in resources_of("AWS::Lambda::Permission").values()]
    assert ref(function) not in permitted


def test_the_secret_has_no_value_that_a_deployment_could_write_over_the_token_and_outlives_its_stack() -> None:
    secret = resources()["ApiToken"]
    assert secret["Properties"].keys() == {"Description"}
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
