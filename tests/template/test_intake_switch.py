"""Who may invoke switch_intake (a rule for account faults, and the schedule), and what switch_intake may do."""

import json

from song_intake.admission.switch_state import INTAKE_KEY
from song_intake.outgoing.events import ACCOUNT_FAULT, ACCOUNT_SOURCE
from tests.template.test_least_privilege import statements
from tests.template.transformed import arn_of, properties, resources_of, shipped

SWITCH = {"Ref": "SwitchIntake"}


def test_the_rule_matches_account_faults_only() -> None:
    (rule,) = resources_of("AWS::Events::Rule").values()
    assert rule["EventBusName"] == {"Ref": "SongEvents"}
    assert rule["EventPattern"] == {"source": [ACCOUNT_SOURCE], "detail-type": [ACCOUNT_FAULT]}
    assert rule["Targets"] == [{"Id": "switch-intake", "Arn": arn_of("SwitchIntake")}]
    assert rule.get("State", "ENABLED") == "ENABLED"


def test_only_that_rule_may_invoke_the_switch() -> None:
    permitted = [one for one in resources_of("AWS::Lambda::Permission").values() if one["FunctionName"] == SWITCH]
    assert permitted == [
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": SWITCH,
            "Principal": "events.amazonaws.com",
            "SourceArn": arn_of("AccountFaultRule"),
        }
    ]


def test_the_schedule_checks_the_intake_every_minute() -> None:
    (schedule,) = resources_of("AWS::Scheduler::Schedule").values()
    assert "Name" not in schedule, "CloudFormation's own names keep two stacks in an account apart"
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule.get("State", "ENABLED") == "ENABLED"
    assert schedule["Target"]["Arn"] == arn_of("SwitchIntake")
    assert schedule["Target"]["RoleArn"] == arn_of("BalanceCheckScheduleRole")
    assert json.loads(schedule["Target"]["Input"]) == {"intake": "check"}


def test_the_role_of_the_schedule_invokes_the_switch_and_no_more() -> None:
    (policy,) = properties("BalanceCheckScheduleRole")["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("lambda:InvokeFunction", arn_of("SwitchIntake"))
    (trust,) = properties("BalanceCheckScheduleRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_switch_reads_and_writes_one_item_which_is_not_a_request() -> None:
    (of_the_table,) = [
        one for role, one in statements("Allow") if role == "SwitchIntakeRole" and one.get("Sid") == "WriteIntakeState"
    ]
    assert of_the_table["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": INTAKE_KEY}}


def test_only_the_switch_may_change_a_mapping_and_only_that_of_submit_song() -> None:
    changing = {
        role: one["Condition"]
        for role, one in statements("Allow")
        if "lambda:UpdateEventSourceMapping" in one["Action"]
    }
    assert changing == {"SwitchIntakeRole": {"ArnEquals": {"lambda:FunctionArn": arn_of("SubmitSong")}}}


def test_the_switch_has_time_for_two_requests_and_all_calls_of_aws() -> None:
    parameters = shipped()["Parameters"]
    longest_request = parameters["ConnectTimeoutSeconds"]["MaxValue"] + parameters["PollDeadlineSeconds"]["MaxValue"]
    assert 2 * longest_request + 60 < properties("SwitchIntake")["Timeout"]
