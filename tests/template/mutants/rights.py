"""Mistakes by which a function or a stranger could do more than the stack needs."""

from tests.template import test_function as function
from tests.template import test_intake_switch as switch
from tests.template import test_least_privilege as rights
from tests.template.mutants.mutant import REMOVED, Mutant, allow, of, statement
from tests.template.transformed import arn_of

TOKEN = {"Fn::GetAtt": ["ApiToken", "Id"]}


def no_more_than_listed(name: str) -> None:
    rights.test_a_function_may_do_this_and_no_more(name, rights.GRANTS[name])


GRANTS = (
    Mutant(
        "submit_song may do everything with the ledger",
        statement("SubmitSongRole", "WriteLedger", "Action", "0"),
        "dynamodb:*",
        rights.test_grants_name_their_actions_and_resources,
    ),
    Mutant(
        "submit_song may read every secret of the account",
        statement("SubmitSongRole", "ReadApiToken", "Resource"),
        "*",
        rights.test_grants_name_their_actions_and_resources,
    ),
    Mutant(
        "track_song may do all but a few actions",
        statement("TrackSongRole", "+"),
        {"Effect": "Allow", "NotAction": "iam:*", "Action": [], "Resource": arn_of("Ledger")},
        rights.test_no_statement_grants_by_exclusion,
    ),
    Mutant(
        "receive_webhook may read the token",
        statement("ReceiveWebhookRole", "+"),
        allow("secretsmanager:GetSecretValue", TOKEN),
        lambda: no_more_than_listed("ReceiveWebhook"),
    ),
    Mutant(
        "receive_webhook may read the ledger",
        statement("ReceiveWebhookRole", "+"),
        allow("dynamodb:GetItem", arn_of("Ledger")),
        lambda: no_more_than_listed("ReceiveWebhook"),
    ),
    Mutant(
        "redrive_letters may delete requests",
        statement("RedriveLettersRole", "ConsumeDeadLetters", "Resource", "+"),
        arn_of("SongRequests"),
        lambda: no_more_than_listed("RedriveLetters"),
    ),
    Mutant(
        "track_song cannot answer a task",
        statement("TrackSongRole", "AnswerTask"),
        REMOVED,
        lambda: no_more_than_listed("TrackSong"),
    ),
    Mutant(
        "track_song may write the pace and the intake",
        statement("TrackSongRole", "WriteLedger", "Condition"),
        REMOVED,
        rights.test_every_right_on_the_table_is_limited_to_the_items_that_its_function_needs,
    ),
    Mutant(
        "submit_song may write the intake with the pace",
        statement("SubmitSongRole", "WritePace", "Condition", "ForAllValues:StringEquals", "dynamodb:LeadingKeys"),
        ["#pace", "#intake"],
        rights.test_every_right_on_the_table_is_limited_to_the_items_that_its_function_needs,
    ),
    Mutant(
        "submit_song may write every other item with the budget",
        statement("SubmitSongRole", "CountCreates", "Condition", "ForAllValues:StringLike", "dynamodb:LeadingKeys"),
        "#*",
        rights.test_every_right_on_the_table_is_limited_to_the_items_that_its_function_needs,
    ),
    Mutant(
        "switch_intake may change the budget that it reads",
        statement("SwitchIntakeRole", "ReadBudget", "Action"),
        ["dynamodb:GetItem", "dynamodb:UpdateItem"],
        lambda: no_more_than_listed("SwitchIntake"),
    ),
    Mutant(
        "resolve_song may publish account faults",
        statement("ResolveSongRole", "PublishEvents", "Condition", "ForAllValues:StringEquals", "events:source"),
        "song-intake.account",
        rights.test_a_function_publishes_events_of_its_own_sources_only,
    ),
    Mutant(
        "switch_intake may direct the queue to another function",
        statement("SwitchIntakeRole", "SwitchMapping", "Condition", "ArnEquals", "lambda:FunctionArn"),
        arn_of("TrackSong"),
        switch.test_only_the_switch_may_change_a_mapping_and_only_that_of_submit_song,
    ),
    Mutant(
        "the role of the schedule may invoke every function",
        of("BalanceCheckScheduleRole", "Policies", "0", "PolicyDocument", "Statement", "0", "Resource"),
        {"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${AWS::StackName}"},
        switch.test_the_role_of_the_schedule_invokes_the_switch_and_no_more,
    ),
    Mutant(
        "a role has a managed policy",
        of("SubmitSongRole", "ManagedPolicyArns"),
        ["arn:aws:iam::aws:policy/PowerUserAccess"],
        lambda: rights.test_no_role_has_a_managed_policy("SubmitSongRole"),
    ),
    Mutant(
        "a policy beside the role adds rights",
        ("Resources", "MoreRights"),
        {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "more",
                "Roles": [{"Ref": "SubmitSongRole"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow("sqs:SendMessage", TOKEN)]},
            },
        },
        rights.test_no_other_policy_is_attached_to_the_roles,
    ),
    Mutant(
        "two functions share a role",
        of("TrackSong", "Role"),
        arn_of("SubmitSongRole"),
        lambda: rights.test_every_function_has_a_role_of_its_own_that_only_lambda_may_assume("TrackSong"),
    ),
    Mutant(
        "an account may assume a role",
        of("SubmitSongRole", "AssumeRolePolicyDocument", "Statement", "0", "Principal", "AWS"),
        "arn:aws:iam::123456789012:root",
        lambda: rights.test_every_function_has_a_role_of_its_own_that_only_lambda_may_assume("SubmitSong"),
    ),
)

PRINCIPALS = (
    Mutant(
        "everyone may use the key of the alarms",
        of("AlarmKey", "KeyPolicy", "Statement", "0", "Principal", "AWS"),
        "*",
        rights.test_nothing_is_granted_to_every_principal,
    ),
    Mutant(
        "CloudWatch may publish for every account",
        of("AlarmTopicPolicy", "PolicyDocument", "Statement", "AllowAlarmsToPublish", "Condition"),
        {"StringLike": {"aws:SourceAccount": "*"}},
        rights.test_cloudwatch_may_publish_only_on_behalf_of_this_account,
    ),
    Mutant(
        "everyone may publish events",
        ("Resources", "SongEventsPolicy"),
        {
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {
                "EventBusName": {"Ref": "SongEvents"},
                "StatementId": "everyone",
                "Statement": allow("events:PutEvents", arn_of("SongEvents"), Principal={"AWS": ["*"]}),
            },
        },
        rights.test_nothing_is_granted_to_every_principal,
    ),
    Mutant(
        "receive_webhook has a URL of its own, without a throttle",
        of("ReceiveWebhook", "FunctionUrlConfig"),
        {"AuthType": "NONE"},
        rights.test_only_these_services_invoke_a_function_and_no_function_has_a_url,
    ),
    Mutant(
        "a topic may invoke resolve_song",
        ("Resources", "ResolvePermission"),
        {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "ResolveSong"},
                "Principal": "sns.amazonaws.com",
            },
        },
        lambda: function.test_only_an_operator_invokes_these("ResolveSong"),
    ),
    Mutant(
        "a rule of any account may invoke switch_intake",
        of("AccountFaultPermission", "SourceArn"),
        REMOVED,
        switch.test_only_that_rule_may_invoke_the_switch,
    ),
)
