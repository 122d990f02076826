from itertools import pairwise

import pytest

from song_intake.outgoing.metrics import METRIC_OF_LETTER, METRICS
from tests.local.cloud.alarms import Alarm, Measurement, State
from tests.template.transformed import DEAD_LETTERS_OF, Json, properties, resources_of, text_of

ALARMS = sorted(resources_of("AWS::CloudWatch::Alarm"))
OUR_METRICS = "SongIntake"
OF_THE_STACK = [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
WATCHED = {
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
    ("AWS/ApiGateway", "5xx"),
    (OUR_METRICS, "InDoubt"),
    (OUR_METRICS, "GivenUp"),
    (OUR_METRICS, "CallerMustAct"),
    (OUR_METRICS, "RecordingUnavailable"),
    (OUR_METRICS, "UnknownStatus"),
    (OUR_METRICS, "RepeatedRefusals"),
    (OUR_METRICS, "TaskNotRecorded"),
    (OUR_METRICS, "NotificationsRefused"),
    (OUR_METRICS, "TokenRefused"),
    (OUR_METRICS, "TokenUnavailable"),
    (OUR_METRICS, "NoCredits"),
    (OUR_METRICS, "Credits"),
    (OUR_METRICS, "CreditsUnknown"),
    (OUR_METRICS, "IntakePaused"),
    (OUR_METRICS, "IntakeDisabledElsewhere"),
    ("AWS/Lambda", "Errors"),
    ("AWS/Lambda", "Throttles"),
}
# Metrics that are reported from time to time. The last value is valid until the next one.
LEVELS = {"Credits", "CreditsUnknown", "IntakePaused", "IntakeDisabledElsewhere"}
# Money may be lost, or the only trace of a request: somebody has to act now.
URGENT = {
    "InDoubtAlarm",
    "TaskNotRecordedAlarm",
    "GivenUpAlarm",
    "NotificationsRefusedAlarm",
    "SubmitSongErrorsAlarm",
    "OldestDeadLetterAlarm",
    "OldestCheckDeadLetterAlarm",
    "OldestRecordingDeadLetterAlarm",
}
# The end of each of these is news: the cause is gone. That of a count is only a minute without another one.
ENDS = {
    "DeadLettersAlarm",
    "CheckDeadLettersAlarm",
    "RecordingDeadLettersAlarm",
    "OldestRecordingDeadLetterAlarm",
    "OldestDeadLetterAlarm",
    "OldestCheckDeadLetterAlarm",
    "OldestRequestAlarm",
    "IntakePausedAlarm",
    "IntakeDisabledElsewhereAlarm",
    "CreditsAlarm",
    "CreditsUnknownAlarm",
}
TOPICS = ["AlarmTopic", "UrgentAlarmTopic"]
SUBSCRIPTIONS = {"AlarmEmailSubscription": "AlarmTopic", "UrgentAlarmEmailSubscription": "UrgentAlarmTopic"}
AGE_ALARMS = {
    "OldestRequestAlarm": 3600,
    "OldestDeadLetterAlarm": 3 * 86_400,
    "OldestCheckDeadLetterAlarm": 3 * 86_400,
    "OldestRecordingDeadLetterAlarm": 3 * 86_400,
}


def alarms() -> list[Json]:
    return list(resources_of("AWS::CloudWatch::Alarm").values())


def our_metrics() -> set[str]:
    return {alarm["MetricName"] for alarm in alarms() if alarm["Namespace"] == OUR_METRICS}


def test_the_alarms_watch_every_metric_that_needs_an_operator() -> None:
    assert {(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms()} == WATCHED


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_notifies_the_topic_is_described_and_is_silent_without_data(name: str) -> None:
    alarm = properties(name)
    topic = {"Ref": "UrgentAlarmTopic" if name in URGENT else "AlarmTopic"}
    assert alarm["AlarmActions"] == [topic]
    assert alarm.get("OKActions", []) == ([topic] if name in ENDS else [])
    description = text_of(alarm["AlarmDescription"])
    assert description.startswith("Urgent. ") is (name in URGENT)
    assert alarm.get("ActionsEnabled", True) is True
    assert alarm["TreatMissingData"] == ("ignore" if alarm["MetricName"] in LEVELS else "notBreaching")
    assert len(description) > 30


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_on_a_count_fires_at_the_first_one(name: str) -> None:
    alarm = properties(name)
    if alarm["MetricName"] == "ApproximateAgeOfOldestMessage":
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", AGE_ALARMS[name])
        return
    if alarm["MetricName"] == "Credits":
        assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
            "Minimum",
            "LessThanThreshold",
            3000,
        )
        return
    first = {("GreaterThanThreshold", 0), ("GreaterThanOrEqualToThreshold", 1)}
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) in first
    assert alarm["EvaluationPeriods"] == 1


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_evaluated_each_minute(name: str) -> None:
    assert properties(name)["Period"] == 60


def test_the_queue_alarms_watch_the_right_queues() -> None:
    watched = {
        (alarm["MetricName"], alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0])
        for alarm in alarms()
        if alarm["Namespace"] == "AWS/SQS"
    }
    assert watched == {
        ("ApproximateNumberOfMessagesVisible", "SongDeadLetters"),
        ("ApproximateNumberOfMessagesVisible", "SongCheckDeadLetters"),
        ("ApproximateNumberOfMessagesVisible", "SongRecordingDeadLetters"),
        ("ApproximateAgeOfOldestMessage", "SongRequests"),
        ("ApproximateAgeOfOldestMessage", "SongDeadLetters"),
        ("ApproximateAgeOfOldestMessage", "SongCheckDeadLetters"),
        ("ApproximateAgeOfOldestMessage", "SongRecordingDeadLetters"),
    }


def test_a_letter_that_nobody_handles_does_not_silence_the_next_one() -> None:
    # An alarm on the queue stays in ALARM while a letter waits. These end some minutes after each arrival.
    for metric in set(METRIC_OF_LETTER.values()):
        (properties_of,) = (one for one in alarms() if one["MetricName"] == metric)
        assert properties_of["Dimensions"] == OF_THE_STACK
        alarm = Alarm.of(metric, {**properties_of, "Dimensions": []})
        arrivals = [Measurement(OUR_METRICS, metric, frozenset(), minutes * 60.0, (1.0,)) for minutes in (0, 10, 20)]
        states = alarm.states(arrivals)
        published = [now for before, now in pairwise([State.OK, *states]) if (before, now) == (State.OK, State.ALARM)]
        assert len(published) == len(arrivals)


@pytest.mark.parametrize(
    ("queue", "alarm"),
    [
        ("SongRequests", "OldestDeadLetterAlarm"),
        ("SongChecks", "OldestCheckDeadLetterAlarm"),
        ("SongRecordings", "OldestRecordingDeadLetterAlarm"),
    ],
)
def test_the_age_of_a_letter_is_reported_a_day_before_it_can_expire(queue: str, alarm: str) -> None:
    # SQS measures the age from the arrival of a letter that it moved, but expires it by the age of the message.
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
    kept = properties(DEAD_LETTERS_OF[queue])["MessageRetentionPeriod"]
    shortest = kept - properties(queue)["MessageRetentionPeriod"]
    assert properties(alarm)["Threshold"] + 86_400 <= shortest


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_is_watched(metric: str) -> None:
    watched = [alarm["Dimensions"] for alarm in alarms() if alarm["MetricName"] == metric]
    functions = resources_of("AWS::Lambda::Function")
    assert sorted(watched, key=str) == [
        [{"Name": "FunctionName", "Value": {"Ref": name}}] for name in sorted(functions)
    ]


def test_alarms_use_the_dimension_of_our_metrics() -> None:
    on_alarms = [alarm["Dimensions"] for alarm in alarms() if alarm["Namespace"] == OUR_METRICS]
    assert all(dimensions == OF_THE_STACK for dimensions in on_alarms)


@pytest.mark.parametrize("metric", sorted(our_metrics()))
def test_the_functions_emit_what_alarms_watch(metric: str) -> None:
    assert metric in METRICS


@pytest.mark.parametrize("topic", TOPICS)
def test_alarms_are_encrypted_with_a_key_that_cloudwatch_may_use(topic: str) -> None:
    assert properties(topic)["KmsMasterKeyId"] == {"Ref": "AlarmKey"}
    assert properties("AlarmKey")["EnableKeyRotation"] is True
    _, of_cloudwatch = properties("AlarmKey")["KeyPolicy"]["Statement"]
    assert of_cloudwatch["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert of_cloudwatch["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


@pytest.mark.parametrize("topic", TOPICS)
def test_cloudwatch_may_publish_on_a_topic_and_connections_without_tls_are_refused(topic: str) -> None:
    policy = properties(f"{topic}Policy")
    assert policy["Topics"] == [{"Ref": topic}]
    permission, refusal = policy["PolicyDocument"]["Statement"]
    assert (permission["Principal"], permission["Action"], permission["Resource"]) == (
        {"Service": "cloudwatch.amazonaws.com"},
        "sns:Publish",
        {"Ref": topic},
    )
    assert refusal == {
        "Sid": "DenyUnencryptedTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": {"Ref": topic},
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_an_email_is_subscribed_to_both_topics_only_if_one_is_given() -> None:
    assert resources_of("AWS::SNS::Subscription") == {}
    for name, topic in SUBSCRIPTIONS.items():
        assert properties(name, AlarmEmail="ada@example.com") == {
            "Protocol": "email",
            "TopicArn": {"Ref": topic},
            "Endpoint": "ada@example.com",
        }
