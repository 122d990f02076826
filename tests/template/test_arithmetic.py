"""The numbers that the guarantees depend on, at the defaults, read from where each is used.

|<- connect ->|<- create or poll deadline ->|<- settle margin ->|
|<------------------ function timeout ------------------------>|
|<------------------ lease ---------------------------------------->|
|<------------------ visibility: six timeouts -------------------------- ... ->|
"""

import pytest

from song_intake.app.submit import RESERVED_RECEIVES, SubmitSettings
from tests.template.transformed import DEAD_LETTERS_OF, Json, ends, parameter_defaults, properties, shipped

HOUR, DAY = 3600, 86400
READERS = {"SongRequests": "SubmitSong", "SongChecks": "TrackSong"}
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
LONGEST_DELAY, LONGEST_VISIBILITY = 900, 43200
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
LONGEST_INTEGRATION = 30


def submit_settings() -> SubmitSettings:
    """As the function reads them. A value that only AWS knows (an ARN, a URL) is some text."""
    variables: Json = properties("SubmitSong")["Environment"]["Variables"]
    return SubmitSettings.from_environment({name: str(value) for name, value in variables.items()})


@pytest.fixture
def settings() -> SubmitSettings:
    return submit_settings()


def test_connecting_creating_and_settling_end_before_the_invocation(settings: SubmitSettings) -> None:
    timeout = properties("SubmitSong")["Timeout"]
    assert settings.connect_timeout + settings.create_deadline + settings.settle_margin < timeout


def test_the_function_gets_its_real_timeout_batch_size_and_receive_count(settings: SubmitSettings) -> None:
    assert settings.function_timeout == properties("SubmitSong")["Timeout"]
    assert settings.batch_size == properties("SubmitSongRequests")["BatchSize"]
    assert settings.max_receive_count == properties("SongRequests")["RedrivePolicy"]["maxReceiveCount"]


def test_a_claim_is_not_judged_abandoned_while_its_invocation_runs(settings: SubmitSettings) -> None:
    assert settings.lease >= properties("SubmitSong")["Timeout"]


def test_a_lease_is_over_when_its_message_is_visible_again(settings: SubmitSettings) -> None:
    assert settings.lease <= properties("SongRequests")["VisibilityTimeout"]


@pytest.mark.parametrize(("queue", "reader"), READERS.items())
def test_a_message_stays_hidden_for_six_timeouts(queue: str, reader: str) -> None:
    assert properties(queue)["VisibilityTimeout"] >= 6 * properties(reader)["Timeout"]


def test_a_message_gets_five_tries_before_the_function_gives_it_up(settings: SubmitSettings) -> None:
    assert settings.max_receive_count >= 5
    assert settings.max_receive_count - RESERVED_RECEIVES >= 5


def test_even_the_smallest_receive_count_leaves_a_try_besides_the_reserved_receives() -> None:
    assert shipped()["Parameters"]["MaxReceiveCount"]["MinValue"] >= max(5, RESERVED_RECEIVES + 1)


def test_no_message_expires_while_it_is_still_being_retried(settings: SubmitSettings) -> None:
    longest_wait = max(settings.retry_cap, properties("SongRequests")["VisibilityTimeout"])
    assert settings.max_receive_count * longest_wait < properties("SongRequests")["MessageRetentionPeriod"]


def test_sqs_allows_the_longest_wait_for_a_webhook_after_a_receive() -> None:
    longest = shipped()["Parameters"]["ResolutionWindowSeconds"]["MaxValue"]
    assert longest + max(map(int, ends("FunctionTimeoutSeconds"))) < LONGEST_VISIBILITY


@pytest.mark.parametrize(("queue", "dead_letters"), DEAD_LETTERS_OF.items())
def test_dead_letters_outlive_their_queue(queue: str, dead_letters: str) -> None:
    assert properties(dead_letters)["MessageRetentionPeriod"] > properties(queue)["MessageRetentionPeriod"]


@pytest.mark.parametrize("queues", DEAD_LETTERS_OF.items())
def test_a_row_is_kept_at_least_twice_as_long_as_its_message(queues: tuple[str, str]) -> None:
    retained = sum(properties(queue)["MessageRetentionPeriod"] for queue in queues)
    keep_days = shipped()["Parameters"]["KeepDays"]
    assert keep_days["MinValue"] * DAY >= 2 * retained
    assert parameter_defaults()["KeepDays"] >= keep_days["MinValue"]


@pytest.mark.parametrize(("queue", "dead_letters"), DEAD_LETTERS_OF.items())
def test_a_dead_letter_has_room_for_the_largest_message_and_our_attributes(queue: str, dead_letters: str) -> None:
    assert properties(dead_letters)["MaximumMessageSize"] - properties(queue)["MaximumMessageSize"] >= 16 * 1024


def test_the_backlog_alarm_comes_before_a_request_expires() -> None:
    retention = properties("SongRequests")["MessageRetentionPeriod"]
    assert shipped()["Parameters"]["OldestMessageAlarmSeconds"]["MaxValue"] <= retention


def test_a_request_that_waits_for_its_webhook_raises_no_backlog_alarm() -> None:
    # The claim of a crashed function is found one visibility timeout later, and the window begins then.
    longest_wait = properties("SongRequests")["VisibilityTimeout"] + parameter_defaults()["ResolutionWindowSeconds"]
    assert properties("OldestRequestAlarm")["Threshold"] > longest_wait


def test_sqs_allows_the_longest_resolution_window() -> None:
    longest = shipped()["Parameters"]["ResolutionWindowSeconds"]["MaxValue"]
    assert longest <= LONGEST_VISIBILITY
    assert longest < properties("SongRequests")["MessageRetentionPeriod"]


def test_connecting_polling_and_settling_end_before_the_invocation() -> None:
    track: Json = properties("TrackSong")["Environment"]["Variables"]
    poll = track["CONNECT_TIMEOUT_SECONDS"] + track["POLL_DEADLINE_SECONDS"] + track["SETTLE_MARGIN_SECONDS"]
    assert poll < properties("TrackSong")["Timeout"]


def test_track_song_gets_its_real_timeout_and_batch_size() -> None:
    track: Json = properties("TrackSong")["Environment"]["Variables"]
    assert track["FUNCTION_TIMEOUT_SECONDS"] == properties("TrackSong")["Timeout"]
    assert track["BATCH_SIZE"] == properties("TrackSongChecks")["BatchSize"]


def test_no_check_expires_while_its_song_is_still_tracked() -> None:
    longest = {name: shipped()["Parameters"][name]["MaxValue"] for name in ("TrackingHours", "CheckCapSeconds")}
    last_check = longest["TrackingHours"] * HOUR + longest["CheckCapSeconds"]
    assert last_check < properties("SongChecks")["MessageRetentionPeriod"]


def test_tracking_ends_before_its_check_runs_out_of_receives() -> None:
    defaults = parameter_defaults()
    checks = int(defaults["TrackingHours"]) * HOUR / int(defaults["CheckCapSeconds"])
    # Doubled, for the closer checks at the start and for those of crashed functions.
    assert 2 * checks < properties("SongChecks")["RedrivePolicy"]["maxReceiveCount"]


def test_the_intervals_between_checks_grow_up_to_the_cap() -> None:
    defaults = parameter_defaults()
    assert int(defaults["FirstCheckSeconds"]) < int(defaults["CheckCapSeconds"]) <= LONGEST_VISIBILITY


def test_sqs_allows_the_longest_delay_of_a_first_check() -> None:
    assert shipped()["Parameters"]["FirstCheckSeconds"]["MaxValue"] <= LONGEST_DELAY


def test_receive_webhook_ends_before_api_gateway_times_out() -> None:
    assert properties("ReceiveWebhook")["Timeout"] < LONGEST_INTEGRATION
