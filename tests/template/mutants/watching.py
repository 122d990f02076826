"""Mistakes in what watches the stack, in the webhook, and in what starts the functions."""

from tests.template import test_alarms as alarms
from tests.template import test_budget as budget
from tests.template import test_dashboard as dashboard
from tests.template import test_function as function
from tests.template import test_intake_switch as switch
from tests.template import test_layers as layers
from tests.template import test_pace as pace
from tests.template import test_runbook as runbook
from tests.template import test_webhook as webhook
from tests.template.mutants.mutant import REMOVED, Mutant, of

SCHEDULE = ("SwitchIntake", "Events", "BalanceCheckSchedule", "Properties")
ACCESS_LOG_WITH_PATH = '{"requestId":"$context.requestId","path":"$context.path"}'


def notifies(alarm: str) -> None:
    alarms.test_an_alarm_notifies_the_topic_is_described_and_is_silent_without_data(alarm)


ALARMS = (
    Mutant(
        "an alarm notifies nothing",
        of("DeadLettersAlarm", "AlarmActions"),
        [],
        lambda: notifies("DeadLettersAlarm"),
    ),
    Mutant(
        "the actions of an alarm are switched off",
        of("TaskNotRecordedAlarm", "ActionsEnabled"),
        False,
        lambda: notifies("TaskNotRecordedAlarm"),
    ),
    Mutant(
        "an alarm on a count rings without data",
        of("InDoubtAlarm", "TreatMissingData"),
        "breaching",
        lambda: notifies("InDoubtAlarm"),
    ),
    Mutant(
        "an alarm on a level ends between two reports",
        of("IntakePausedAlarm", "TreatMissingData"),
        "notBreaching",
        lambda: notifies("IntakePausedAlarm"),
    ),
    Mutant(
        "an alarm on a count misses the first ones",
        of("InDoubtAlarm", "Threshold"),
        5,
        lambda: alarms.test_an_alarm_on_a_count_fires_at_the_first_one("InDoubtAlarm"),
    ),
    Mutant(
        "an alarm is evaluated once a day",
        of("CheckDeadLettersAlarm", "Period"),
        86400,
        lambda: alarms.test_an_alarm_is_evaluated_each_minute("CheckDeadLettersAlarm"),
    ),
    Mutant(
        "a spent budget raises no alarm",
        ("Resources", "BudgetSpentAlarm"),
        REMOVED,
        lambda: budget.test_a_limit_has_an_alarm_at_80_percent_and_one_at_its_end("CreatesPerDay"),
    ),
    Mutant(
        "the alarm on a sender's budget ends with each minute",
        of("SenderBudgetNearlySpentAlarm", "TreatMissingData"),
        "notBreaching",
        budget.test_an_alarm_on_a_limit_is_a_level_of_the_stack_and_tells_the_topic,
    ),
    Mutant(
        "songs in doubt raise no alarm",
        ("Resources", "InDoubtAlarm"),
        REMOVED,
        alarms.test_the_alarms_watch_every_metric_that_needs_an_operator,
    ),
    Mutant(
        "an alarm watches the wrong queue",
        of("DeadLettersAlarm", "Dimensions", "0", "Value", "Fn::GetAtt", "0"),
        "SongRequests",
        alarms.test_the_queue_alarms_watch_the_right_queues,
    ),
    Mutant(
        "the errors of a function raise no alarm",
        of("TrackSongErrorsAlarm", "Dimensions", "0", "Value", "Ref"),
        "SubmitSong",
        lambda: alarms.test_every_function_is_watched("Errors"),
    ),
    Mutant(
        "an alarm watches the metrics of all stacks",
        of("NoCreditsAlarm", "Dimensions"),
        [],
        alarms.test_alarms_use_the_dimension_of_our_metrics,
    ),
    Mutant(
        "the alarms are not encrypted",
        of("AlarmTopic", "KmsMasterKeyId"),
        REMOVED,
        lambda: alarms.test_alarms_are_encrypted_with_a_key_that_cloudwatch_may_use("AlarmTopic"),
    ),
    Mutant(
        "the alarms are encrypted with a key that CloudWatch may not use",
        of("AlarmTopic", "KmsMasterKeyId"),
        "alias/aws/sns",
        lambda: alarms.test_alarms_are_encrypted_with_a_key_that_cloudwatch_may_use("AlarmTopic"),
    ),
    Mutant(
        "the key of the alarms does not rotate",
        of("AlarmKey", "EnableKeyRotation"),
        False,
        lambda: alarms.test_alarms_are_encrypted_with_a_key_that_cloudwatch_may_use("AlarmTopic"),
    ),
    Mutant(
        "the topic accepts connections without TLS",
        of("AlarmTopicPolicy", "PolicyDocument", "Statement", "DenyUnencryptedTransport"),
        REMOVED,
        lambda: alarms.test_cloudwatch_may_publish_on_a_topic_and_connections_without_tls_are_refused("AlarmTopic"),
    ),
    Mutant(
        "no urgent alarm can be published",
        of("UrgentAlarmTopicPolicy", "Topics", "0", "Ref"),
        "AlarmTopic",
        lambda: alarms.test_cloudwatch_may_publish_on_a_topic_and_connections_without_tls_are_refused(
            "UrgentAlarmTopic"
        ),
    ),
    Mutant(
        "an alarm about money goes where delays go",
        of("InDoubtAlarm", "AlarmActions", "0", "Ref"),
        "AlarmTopic",
        lambda: notifies("InDoubtAlarm"),
    ),
    Mutant(
        "the end of a pause is not reported",
        of("IntakePausedAlarm", "OKActions"),
        REMOVED,
        lambda: notifies("IntakePausedAlarm"),
    ),
    Mutant(
        "a letter that stays silences the next one",
        of("GivenUpAlarm", "TreatMissingData"),
        "ignore",
        alarms.test_a_letter_that_nobody_handles_does_not_silence_the_next_one,
    ),
    Mutant(
        "a letter that SQS moved expires before its age is reported",
        of("OldestDeadLetterAlarm", "Threshold"),
        5 * 86_400,
        lambda: alarms.test_the_age_of_a_letter_is_reported_a_day_before_it_can_expire(
            "SongRequests", "OldestDeadLetterAlarm"
        ),
    ),
    Mutant(
        "the credits are spent before their alarm",
        ("Mappings", "Paces", "20", "CreditsAlarmBelow"),
        100,
        lambda: pace.test_the_credits_alarm_comes_three_readings_before_the_account_is_empty(20),
    ),
    Mutant(
        "an alarm has no entry in the runbook",
        of("GivenUpAlarm", "AlarmDescription"),
        "Urgent. The stack gave up a request or a song.",
        lambda: runbook.test_an_alarm_names_its_entry("GivenUpAlarm"),
    ),
    Mutant(
        "the command of an alarm names no stack",
        of("CallerMustActAlarm", "AlarmDescription", "Fn::Sub"),
        "make ops ARGS=letters lists it.",
        lambda: runbook.test_a_command_in_a_description_names_its_stack_and_does_what_it_says("CallerMustActAlarm"),
    ),
    Mutant(
        "the dashboard does not show the table's throttles",
        of("Dashboard", "DashboardBody", "Fn::Sub", "1", "LedgerName"),
        "-",
        dashboard.test_nothing_that_exists_is_left_out,
    ),
    Mutant(
        "the dashboard names a function that is not created",
        of("Dashboard", "DashboardBody", "Fn::Sub", "1", "KeepRecordingName"),
        {"Ref": "KeepRecording"},
        lambda: dashboard.test_every_graph_shows_metrics_that_exist({"KeepRecordings": "off"}),
    ),
)

LOGS = (
    Mutant(
        "a log of a function is kept for ever",
        of("TrackSongLogGroup", "RetentionInDays"),
        REMOVED,
        lambda: function.test_a_function_writes_to_its_own_log_group_with_a_retention("TrackSong"),
    ),
    Mutant(
        "the access log is kept for ever",
        of("WebhookAccessLogGroup", "RetentionInDays"),
        REMOVED,
        function.test_no_log_is_kept_for_ever,
    ),
    Mutant(
        "a function writes to the log of another one",
        of("TrackSong", "LoggingConfig", "LogGroup", "Ref"),
        "SubmitSongLogGroup",
        lambda: function.test_a_function_writes_to_its_own_log_group_with_a_retention("TrackSong"),
    ),
    Mutant(
        "the only record of a song is deleted with the stack",
        ("Resources", "SubmitSongLogGroup", "DeletionPolicy"),
        REMOVED,
        function.test_the_log_that_may_hold_the_only_record_of_a_song_outlives_its_stack,
    ),
    Mutant(
        "the access log holds the path with the MAC",
        of("WebhookStage", "AccessLogSettings", "Format"),
        ACCESS_LOG_WITH_PATH,
        webhook.test_the_access_log_has_the_result_of_a_call_but_not_its_path_which_has_the_mac,
    ),
)

WEBHOOK = (
    Mutant(
        "the webhook has a route for everything",
        of("WebhookRoute", "RouteKey"),
        "ANY /{proxy+}",
        webhook.test_its_one_route_names_the_request_and_the_mac_and_leads_to_receive_webhook,
    ),
    Mutant(
        "the webhook leads to another function",
        of("WebhookIntegration", "IntegrationUri"),
        {"Fn::GetAtt": ["ResolveSong", "Arn"]},
        webhook.test_its_one_route_names_the_request_and_the_mac_and_leads_to_receive_webhook,
    ),
    Mutant(
        "webhooks have no throttle",
        of("WebhookStage", "DefaultRouteSettings"),
        {},
        webhook.test_a_flood_of_webhooks_is_throttled_before_it_costs_an_invocation,
    ),
    Mutant(
        "every API of the account may invoke receive_webhook",
        of("WebhookPermission", "SourceArn"),
        REMOVED,
        webhook.test_only_the_route_of_this_api_may_invoke_receive_webhook,
    ),
    Mutant(
        "the webhook is there although it is switched off",
        ("Resources", "WebhookRoute", "Condition"),
        REMOVED,
        webhook.test_all_webhook_resources_and_outputs_are_conditional,
    ),
    Mutant(
        "the stage is never deployed",
        of("WebhookStage", "AutoDeploy"),
        False,
        webhook.test_the_api_is_deployed_at_the_root_of_its_url,
    ),
    Mutant(
        "the signing key is short",
        of("WebhookKey", "GenerateSecretString", "PasswordLength"),
        16,
        webhook.test_the_key_is_generated_and_outlives_its_stack,
    ),
    Mutant(
        "the signing key is deleted with the stack",
        ("Resources", "WebhookKey", "DeletionPolicy"),
        "Delete",
        webhook.test_the_key_is_generated_and_outlives_its_stack,
    ),
)

INTAKE = (
    Mutant(
        "the intake is checked once an hour",
        of(*SCHEDULE, "ScheduleExpression"),
        "rate(1 hour)",
        switch.test_the_schedule_checks_the_intake_every_minute,
    ),
    Mutant(
        "the schedule is switched off",
        of(*SCHEDULE, "State"),
        "DISABLED",
        switch.test_the_schedule_checks_the_intake_every_minute,
    ),
    Mutant(
        "the rule for account faults is switched off",
        of("AccountFaultRule", "State"),
        "DISABLED",
        switch.test_the_rule_matches_account_faults_only,
    ),
    Mutant(
        "the rule matches every event of a song",
        of("AccountFaultRule", "EventPattern", "source"),
        ["song-intake"],
        switch.test_the_rule_matches_account_faults_only,
    ),
    Mutant(
        "the functions run on another architecture than their layers",
        ("Globals", "Function", "Architectures"),
        ["x86_64"],
        lambda: layers.test_a_layer_is_for_the_architecture_and_the_runtime_of_the_functions("SongIntakeLayer"),
    ),
)
