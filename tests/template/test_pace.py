"""What follows from CreatesPerMinute, for every value that is allowed: a message waits inside its invocation.

|<- longest lead ->|<- all slots, and those of a batch that crashed ->|<- create ->|<- settle ->|
|<-------------------------------- function timeout ---------------------------------------------->|
"""

import pytest

from song_intake.admission.lead import Lead
from song_intake.admission.pace import SECONDS_A_MINUTE, most_slow
from song_intake.admission.slots import MOST_LATE_SECONDS
from song_intake.admission.switch import MINUTES_BETWEEN_BALANCES
from song_intake.app.submit import SubmitSettings
from song_intake.music_api.credits import CREDITS_A_SONG
from tests.template.transformed import Json, ends, parameter_defaults, properties, resources, shipped

PARAMETERS: dict[str, Json] = shipped()["Parameters"]
ALLOWED: list[int] = PARAMETERS["CreatesPerMinute"]["AllowedValues"]
PACES = [pace for pace in ALLOWED if pace > 0]
COLUMNS = {"BatchSize", "MaximumConcurrency", "Timeout", "Lease", "Visibility", "CreditsAlarmBelow"}
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LONGEST_TIMEOUT = 900
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
LONGEST_VISIBILITY = 43200
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html#events-sqs-max-concurrency
LEAST_CONCURRENCY = 2
# A create lasts some seconds; the vendor publishes no figure. The slots of the other batches fill this time.
USUAL_CALL = 15
SLOW_CONNECT = 4.5
BETWEEN_BATCHES = 0.3


def most(parameter: str) -> int:
    bound: int = PARAMETERS[parameter]["MaxValue"]
    return bound


def settings_of(pace: int) -> SubmitSettings:
    variables: Json = properties("SubmitSong", CreatesPerMinute=pace)["Environment"]["Variables"]
    return SubmitSettings.from_environment({name: str(value) for name, value in variables.items()})


def slots_of(pace: int) -> tuple[int, int, float]:
    """The messages of a batch, the batches at the same time, and the seconds from one slot to the next."""
    mapping = properties("SubmitSongRequests", CreatesPerMinute=pace)
    return mapping["BatchSize"], mapping["ScalingConfig"]["MaximumConcurrency"], SECONDS_A_MINUTE / pace


def test_every_allowed_value_has_a_row() -> None:
    assert shipped()["Mappings"]["Paces"].keys() == {str(pace) for pace in ALLOWED}
    assert all(row.keys() == COLUMNS for row in shipped()["Mappings"]["Paces"].values())


def test_the_default_is_the_one_published_figure_of_the_vendor() -> None:
    assert SECONDS_A_MINUTE / int(parameter_defaults()["CreatesPerMinute"]) == 3


@pytest.mark.parametrize("pace", PACES)
def test_every_message_gets_a_slot_and_can_use_it_before_the_invocation_ends(pace: int) -> None:
    batch_size, concurrency, interval = slots_of(pace)
    lead = Lead(most("ConnectTimeoutSeconds")).longest
    waits = lead + batch_size * (concurrency + 1) * interval + MOST_LATE_SECONDS
    call = most("CreateDeadlineSeconds") + most("SettleMarginSeconds")
    assert waits + call <= properties("SubmitSong", CreatesPerMinute=pace)["Timeout"] <= LONGEST_TIMEOUT


@pytest.mark.parametrize("pace", PACES)
def test_at_the_slowest_pace_each_worker_still_finds_a_slot_in_its_invocation(pace: int) -> None:
    defaults = parameter_defaults()
    _, concurrency, interval = slots_of(pace)
    lead = Lead(float(defaults["ConnectTimeoutSeconds"])).longest
    waits = lead + concurrency * most_slow(interval) * interval + MOST_LATE_SECONDS
    call = int(defaults["CreateDeadlineSeconds"]) + int(defaults["SettleMarginSeconds"])
    assert waits + call <= properties("SubmitSong", CreatesPerMinute=pace)["Timeout"]


@pytest.mark.parametrize("pace", PACES)
def test_the_other_batches_have_slots_while_one_waits_for_its_last_answers(pace: int) -> None:
    batch_size, concurrency, interval = slots_of(pace)
    assert concurrency >= LEAST_CONCURRENCY
    lead = Lead(float(parameter_defaults()["ConnectTimeoutSeconds"]))
    lead.record(SLOW_CONNECT)
    # From the last slot of a batch to the first one of the next batch of the same worker.
    assert ((concurrency - 1) * batch_size + 1) * interval >= USUAL_CALL + lead.seconds + BETWEEN_BATCHES


@pytest.mark.parametrize("pace", ALLOWED)
def test_the_functions_get_the_real_values(pace: int) -> None:
    settings, function = settings_of(pace), properties("SubmitSong", CreatesPerMinute=pace)
    assert settings.creates_per_minute == pace
    assert settings.function_timeout == function["Timeout"]
    assert settings.batch_size == properties("SubmitSongRequests", CreatesPerMinute=pace)["BatchSize"]
    resolve: Json = properties("ResolveSong", CreatesPerMinute=pace)["Environment"]["Variables"]
    given = (resolve["FUNCTION_TIMEOUT_SECONDS"], resolve["LEASE_SECONDS"])
    assert given == (function["Timeout"], settings.lease)


@pytest.mark.parametrize("pace", ALLOWED)
def test_timeout_lease_and_visibility_keep_their_order(pace: int) -> None:
    timeout = properties("SubmitSong", CreatesPerMinute=pace)["Timeout"]
    visibility = properties("SongRequests", CreatesPerMinute=pace)["VisibilityTimeout"]
    assert timeout <= settings_of(pace).lease <= visibility
    assert 6 * timeout <= visibility <= LONGEST_VISIBILITY
    assert properties("SongDeadLetters", CreatesPerMinute=pace)["VisibilityTimeout"] == visibility


@pytest.mark.parametrize("pace", ALLOWED)
def test_no_message_that_waits_for_a_webhook_or_is_retried_raises_an_alarm_or_expires(pace: int) -> None:
    requests = properties("SongRequests", CreatesPerMinute=pace)
    settings = settings_of(pace)
    longest_doubt = requests["VisibilityTimeout"] + settings.resolution_window
    assert properties("OldestRequestAlarm", CreatesPerMinute=pace)["Threshold"] > longest_doubt
    longest_wait = max(settings.retry_cap, requests["VisibilityTimeout"])
    assert settings.max_receive_count * longest_wait < requests["MessageRetentionPeriod"]


@pytest.mark.parametrize("pace", ALLOWED)
def test_the_credits_alarm_comes_three_readings_before_the_account_is_empty(pace: int) -> None:
    # Without a pace nothing is known about the rate, so the vendor's published one counts.
    a_minute = (pace or int(parameter_defaults()["CreatesPerMinute"])) * CREDITS_A_SONG
    threshold = properties("CreditsAlarm", CreatesPerMinute=pace)["Threshold"]
    assert threshold == 3 * MINUTES_BETWEEN_BALANCES * a_minute


def test_a_given_balance_replaces_that_of_the_pace() -> None:
    assert properties("CreditsAlarm", CreditsAlarmBelow=70)["Threshold"] == 70


@pytest.mark.parametrize("pace", PACES)
def test_with_a_pace_the_parameters_of_the_unpaced_stack_change_nothing_but_the_checks(pace: int) -> None:
    names = ("FunctionTimeoutSeconds", "LeaseSeconds", "VisibilityTimeoutSeconds", "BatchSize", "MaximumConcurrency")
    usual = resources(CreatesPerMinute=pace)
    other = resources(CreatesPerMinute=pace, **{name: ends(name)[0] for name in names})
    assert {name for name in usual if usual[name] != other[name]} == {"TrackSong", "TrackSongChecks"}


def test_without_a_pace_the_parameters_are_used() -> None:
    defaults = parameter_defaults()
    mapping = properties("SubmitSongRequests", CreatesPerMinute=0)
    assert properties("SubmitSong", CreatesPerMinute=0)["Timeout"] == defaults["FunctionTimeoutSeconds"]
    assert settings_of(0).lease == defaults["LeaseSeconds"]
    assert properties("SongRequests", CreatesPerMinute=0)["VisibilityTimeout"] == defaults["VisibilityTimeoutSeconds"]
    assert mapping["BatchSize"] == defaults["BatchSize"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] == defaults["MaximumConcurrency"]


def test_the_queue_keeps_as_many_requests_as_the_parameter_states() -> None:
    kept = properties("SongRequests")["MessageRetentionPeriod"] * 20 // SECONDS_A_MINUTE
    assert f"{kept} requests at 20 a minute" in PARAMETERS["CreatesPerMinute"]["Description"]
