"""`make doctor` on a deployed stack: every check, and its line about each part that is broken on purpose."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import boto3
import pytest

from song_intake.aws.signing_key import SigningKey
from song_intake.commands.alarm_check import check_alarms
from song_intake.commands.checkup import Finding, Verdict, examine
from song_intake.commands.deployed import DeployedStack, Waiting, described_stack
from song_intake.commands.diagnosis import CHECKS, PAID_CHECK, diagnose
from song_intake.commands.ledger_checks import check_batched_writes, check_role
from song_intake.commands.letter_check import check_dead_letter
from song_intake.commands.mapping_check import check_mapping
from song_intake.commands.song_check import SONG, check_song
from song_intake.commands.stack import Target
from song_intake.commands.stack_checks import check_functions, check_template, check_token
from song_intake.commands.webhook_checks import check_forgery, check_webhook
from tests.end_to_end.songs import TOKEN
from tests.local.cloud.aws_clients import REGION
from tests.local.intake import Intake
from tests.local.intake_switching import mapping_state, switch, wait_for_mapping
from tests.local.vendor.answer import LYRICS_REFUSED
from tests.local.vendor.behaviour import refuses
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.vendor.story import fails
from tests.local.webhooks.transport import local_cloud, send_request
from tests.signing import SIGNING_KEY

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

LONG_ENOUGH = Waiting(short=20.0, song=30.0, interval=0.1)
NO_TIME = Waiting(short=0.0, song=0.0, interval=0.1)

DoctorsCheck = Callable[[DeployedStack], Finding]


@pytest.fixture
def deployed(tracking: Intake, monkeypatch: pytest.MonkeyPatch) -> DeployedStack:
    for name, value in tracking.environment().items():
        monkeypatch.setenv(name, value)
    find = local_cloud(tracking.cloud.port, tracking.cloud.ca_bundle)

    def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
        return send_request(find(url), "POST", headers.items(), body)

    return described_stack(Target(stack=tracking.stack.name), LONG_ENOUGH, post)


def test_every_check_of_a_sound_stack_passes_and_leaves_only_the_song_that_was_paid_for(
    deployed: DeployedStack, tracking: Intake, vendor: MusicVendor, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tracking.rows()
    code = diagnose(deployed, is_paid=True)
    report = capsys.readouterr().out
    lines = report.splitlines()
    assert (code, lines[-1]) == (0, "11 ok, 0 failed, 0 skipped"), report
    assert [line[9:25].strip() for line in lines[:11]] == [check.name for check in (*CHECKS, PAID_CHECK)]
    assert "UPDATE against its condition with ConditionalCheckFailed" in report
    assert len([line for line in lines if line.startswith("- ")]) == 7
    (row,) = [row for row in tracking.rows() if row not in before]
    assert row["request_id"].startswith("doctor-")
    assert row["status"] == "SUCCEEDED"
    assert len(vendor.creates) == 1
    assert tracking.letters() == tracking.letters("CheckDeadLetterQueueUrl") == []
    assert mapping_state(tracking) == "Enabled"
    assert not _secrets_of(tracking) & set(re.findall(r"\S+", report))


def _secrets_of(intake: Intake) -> set[str]:
    secrets = intake.cloud.client("secretsmanager")
    return {TOKEN, secrets.get_secret_value(SecretId=intake.stack.resources["WebhookKey"])["SecretString"]}


def test_nothing_is_paid_for_without_paid(
    deployed: DeployedStack, vendor: MusicVendor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("song_intake.commands.diagnosis.CHECKS", CHECKS[:1])
    assert diagnose(deployed, is_paid=False) == 0
    assert "skipped  paid song        --paid (PAID=1) has one song created, and pays for it" in capsys.readouterr().out
    assert vendor.creates == ()


def test_a_refused_token_and_an_empty_account_are_reported(deployed: DeployedStack, vendor: MusicVendor) -> None:
    vendor.credits = 9
    _fails(deployed, check_token, "9 credits do not pay for a song: top up")
    vendor.tokens.clear()
    _fails(deployed, check_token, "the API refuses the token: put a valid one into the secret")


def test_a_stack_of_another_state_or_release_is_reported(deployed: DeployedStack) -> None:
    rolled_back = replace(deployed, status="UPDATE_ROLLBACK_COMPLETE")
    _fails(rolled_back, check_template, "the stack is UPDATE_ROLLBACK_COMPLETE: read its events")
    outputs = {name: value for name, value in deployed.outputs.items() if name != "RedriveLettersFunctionName"}
    _fails(replace(deployed, outputs=outputs), check_template, "no output RedriveLettersFunctionName: deploy")


def test_settings_of_another_release_are_reported(deployed: DeployedStack) -> None:
    # switch_intake in the place of resolve_song: its settings lack a variable that resolve_song needs.
    outputs = {**deployed.outputs, "ResolveSongFunctionName": deployed.outputs["SwitchIntakeFunctionName"]}
    _fails(
        replace(deployed, outputs=outputs), check_functions, r"has other settings than this release \(\w+ is not set\)"
    )


def test_a_mapping_that_was_disabled_elsewhere_is_reported_and_left_alone(
    deployed: DeployedStack, tracking: Intake
) -> None:
    assert switch(tracking, "on")["mapping"] == "Enabled"
    functions = tracking.cloud.client("lambda")
    functions.update_event_source_mapping(UUID=tracking.stack.resources["SubmitSongRequests"], Enabled=False)
    wait_for_mapping(tracking, "Disabled")
    try:
        _fails(deployed, check_mapping, "the mapping was disabled elsewhere.*`make intake STACK=tracking ON=1`")
        _is_skipped(deployed, check_dead_letter, r"the intake is not open \(Disabled, by ")
    finally:
        switch(tracking, "on")
        wait_for_mapping(tracking, "Enabled")


def test_an_intake_that_an_operator_switched_off_stays_off(deployed: DeployedStack, tracking: Intake) -> None:
    switch(tracking, "off")
    wait_for_mapping(tracking, "Disabled")
    try:
        for check in (check_mapping, check_dead_letter, check_song):
            _is_skipped(deployed, check, r"the intake is not open \(Disabled, by a test\)")
        assert mapping_state(tracking) == "Disabled"
    finally:
        switch(tracking, "on")
        wait_for_mapping(tracking, "Enabled")


@pytest.mark.parametrize(
    ("output", "fired"), [("AlarmTopicArn", "NoCreditsAlarm"), ("UrgentAlarmTopicArn", "InDoubtAlarm")]
)
def test_an_alarm_topic_that_refuses_cloudwatch_is_reported(deployed: DeployedStack, output: str, fired: str) -> None:
    sns, topic = deployed.session.client("sns"), deployed.outputs[output]
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue='{"Statement": []}')
    try:
        # As after a real alarm, since an earlier one that was published is proof enough.
        alarm = deployed.resource_id(fired)
        cloudwatch = deployed.session.client("cloudwatch")
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test")
        _fails(
            deployed,
            check_alarms,
            "Failed to execute action .*: correct the policies of the alarm topics and of their KMS key",
        )
    finally:
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="a test")


def test_a_letter_that_does_not_come_is_reported(deployed: DeployedStack, tracking: Intake) -> None:
    _fails(replace(deployed, waiting=NO_TIME), check_dead_letter, "no letter of message .* requests wait")
    tracking.wait_until_empty()


@pytest.mark.parametrize(
    ("status", "check", "text"),
    [
        (404, check_webhook, "a signed call got 404 .*: read the log .*ReceiveWebhookLogGroup"),
        (503, check_webhook, "a signed call got 503 .*cannot read the key"),
        (200, check_webhook, "accepted, but not acted upon"),
        (429, check_forgery, "429 for a forged address, .*: run the doctor again"),
        (
            200,
            check_forgery,
            "200 for a forged address, 200 for a forged signature instead of 401 or 404: set Webhook=off",
        ),
    ],
)
def test_another_answer_of_the_webhook_is_reported(
    deployed: DeployedStack, status: int, check: DoctorsCheck, text: str
) -> None:
    _fails(replace(deployed, waiting=NO_TIME, post=lambda *_: status), check, text)


def test_a_stack_without_a_webhook_needs_none(deployed: DeployedStack) -> None:
    outputs = {name: value for name, value in deployed.outputs.items() if "Webhook" not in name}
    without = replace(deployed, outputs=outputs, parameters={**deployed.parameters, "Webhook": "off"})
    for check in (check_webhook, check_forgery):
        _is_skipped(without, check, "the stack has no webhook")
    for check in (check_template, check_functions):
        assert examine(partial(check, without)).verdict is Verdict.OK


def test_a_stack_that_keeps_no_recordings_needs_no_copies(deployed: DeployedStack) -> None:
    assert "7 are ready" in examine(partial(check_functions, deployed)).text
    outputs = {name: value for name, value in deployed.outputs.items() if "Recording" not in name}
    without = replace(deployed, outputs=outputs)
    _fails(without, check_template, "no output KeepRecordingFunctionName, RecordingDeadLetterQueueUrl: deploy")
    switched_off = replace(without, parameters={**deployed.parameters, "KeepRecordings": "off"})
    for check in (check_template, check_functions):
        assert examine(partial(check, switched_off)).verdict is Verdict.OK
    assert "6 are ready" in examine(partial(check_functions, switched_off)).text


def test_a_webhook_that_cannot_be_reached_is_reported(deployed: DeployedStack) -> None:
    def post(_url: str, _headers: Mapping[str, str], _body: bytes) -> int:
        raise ConnectionRefusedError

    _fails(replace(deployed, post=post), check_webhook, r"the endpoint cannot be reached \(ConnectionRefusedError\)")


def test_a_function_with_another_signing_key_is_reported(
    deployed: DeployedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "song_intake.commands.webhook_checks._signing_key"
    monkeypatch.setattr(key, lambda _stack: SigningKey.of(SIGNING_KEY))
    _fails(deployed, check_webhook, "a signed call got 404 .*another key")


def test_a_song_that_is_refused_or_fails_is_reported(deployed: DeployedStack, vendor: MusicVendor) -> None:
    vendor.plan(SONG["title"], refuses(LYRICS_REFUSED))
    _fails(deployed, check_song, r"the request was rejected \(REFUSED\): read its dead letter doctor-")
    vendor.plan_task(SONG["title"], fails(refunded=True))
    _fails(deployed, check_song, "the song .* FAILED")


def test_a_missing_right_is_reported_with_the_call_that_needs_it(deployed: DeployedStack, tracking: Intake) -> None:
    with _caller(tracking.cloud.client("iam"), "cloudformation:*") as session:
        limited = replace(deployed, session=session, waiting=NO_TIME)
        assert examine(partial(check_template, limited)).verdict is Verdict.OK
        _fails(limited, check_functions, r"GetFunctionConfiguration was refused \(AccessDeniedException\)")
        _fails(limited, check_token, r"Invoke was refused \(AccessDeniedException\): your role lacks this right")
        _fails(limited, check_batched_writes, "was refused")
        _is_skipped(limited, check_webhook, "you may not read the signing key")
    with _caller(tracking.cloud.client("iam"), "lambda:*", "dynamodb:*") as session:
        _is_skipped(replace(deployed, session=session), check_role, "you may not simulate the role's policy")


@contextmanager
def _caller(iam: "IAMClient", *actions: str) -> Iterator[boto3.Session]:
    """The session of a user who may do this and nothing else."""
    name = "doctor"
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    yield boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="p")
    iam.delete_user(UserName=name)


def _fails(stack: DeployedStack, check: DoctorsCheck, text: str) -> None:
    _finds(Verdict.FAILED, stack, check, text)


def _is_skipped(stack: DeployedStack, check: DoctorsCheck, text: str) -> None:
    _finds(Verdict.SKIPPED, stack, check, text)


def _finds(verdict: Verdict, stack: DeployedStack, check: DoctorsCheck, text: str) -> None:
    finding = examine(partial(check, stack))
    assert finding.verdict is verdict, finding
    assert re.search(text, finding.text), finding
