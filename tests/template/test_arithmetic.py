"""The numbers on which the promise rests, at the defaults, read from where each takes effect.

|<- connect ->|<- create deadline ->|<- settle margin ->|
|<------------------ function timeout ------------------------>|
|<------------------ lease ---------------------------------------->|
|<------------------ visibility: six timeouts -------------------------- ... ->|
"""

import pytest

from song_intake.settings import RECEIVES_HELD_BACK, Settings
from tests.template.transformed import Json, parameter_defaults, properties, shipped

DAY = 86400


@pytest.fixture
def settings() -> Settings:
    """As the function reads them; what only AWS knows (ARNs, URLs) is left as some text."""
    variables: Json = properties("SubmitSong")["Environment"]["Variables"]
    return Settings.from_environment({name: str(value) for name, value in variables.items()})


def test_connecting_creating_and_settling_end_before_the_invocation(settings: Settings) -> None:
    timeout = properties("SubmitSong")["Timeout"]
    assert settings.connect_timeout + settings.create_deadline + settings.settle_margin < timeout


def test_the_function_is_told_its_real_timeout_batch_size_and_receive_count(settings: Settings) -> None:
    assert settings.function_timeout == properties("SubmitSong")["Timeout"]
    assert settings.batch_size == properties("SubmitSongRequests")["BatchSize"]
    assert settings.max_receive_count == properties("SongRequests")["RedrivePolicy"]["maxReceiveCount"]


def test_a_claim_is_not_called_abandoned_while_its_invocation_lives(settings: Settings) -> None:
    assert settings.lease >= properties("SubmitSong")["Timeout"]


def test_a_claim_is_abandoned_by_the_time_its_message_comes_back(settings: Settings) -> None:
    assert settings.lease <= properties("SongRequests")["VisibilityTimeout"]


def test_a_message_stays_hidden_for_six_timeouts() -> None:
    assert properties("SongRequests")["VisibilityTimeout"] >= 6 * properties("SubmitSong")["Timeout"]


def test_a_message_gets_five_tries_before_the_function_gives_its_last_word(settings: Settings) -> None:
    assert settings.max_receive_count >= 5
    assert settings.max_receive_count - RECEIVES_HELD_BACK >= 5


def test_even_the_smallest_receive_count_leaves_the_function_a_try_of_its_own() -> None:
    assert shipped()["Parameters"]["MaxReceiveCount"]["MinValue"] >= max(5, RECEIVES_HELD_BACK + 1)


def test_no_message_expires_while_it_is_still_being_retried(settings: Settings) -> None:
    longest_wait = max(settings.retry_cap, properties("SongRequests")["VisibilityTimeout"])
    assert settings.max_receive_count * longest_wait < properties("SongRequests")["MessageRetentionPeriod"]


def test_dead_letters_outlive_the_requests() -> None:
    requests, dead_letters = properties("SongRequests"), properties("SongDeadLetters")
    assert dead_letters["MessageRetentionPeriod"] > requests["MessageRetentionPeriod"]


def test_a_request_is_remembered_for_twice_the_life_of_its_message_at_the_least() -> None:
    queues = properties("SongRequests"), properties("SongDeadLetters")
    retained = sum(queue["MessageRetentionPeriod"] for queue in queues)
    keep_days = shipped()["Parameters"]["KeepDays"]
    assert keep_days["MinValue"] * DAY >= 2 * retained
    assert parameter_defaults()["KeepDays"] >= keep_days["MinValue"]


def test_a_dead_letter_has_room_for_the_largest_request_and_our_attributes() -> None:
    requests, dead_letters = properties("SongRequests"), properties("SongDeadLetters")
    assert dead_letters["MaximumMessageSize"] - requests["MaximumMessageSize"] >= 16 * 1024


def test_the_backlog_alarm_comes_before_a_request_expires() -> None:
    retention = properties("SongRequests")["MessageRetentionPeriod"]
    assert shipped()["Parameters"]["OldestMessageAlarmSeconds"]["MaxValue"] <= retention
